"""What the engine says, in the words of its user: why it refused something, why a container did not start.

Such a text may hold anything a request had, as often as it likes, and each place of a folder may stand for a long path
of hers. So no more is read of it, and no more made of it, than somebody would read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection

from ds01.domain.names import user_network
from ds01.domain.network import OWN
from ds01.domain.own_images import plain_text
from ds01.gateway.registry import Registry
from ds01.wire.door import DoorUser

LONGEST = 16 * 1024
"""Characters of a text, as it comes and as it is shown."""

ELSE = "another"
_ID = re.compile(r"\b[0-9a-f]{64}\b")
_PIN = r"/[0-9]+/[A-Za-z0-9_.-]{1,128}/[0-9]+"
"""A pinned folder below that of all pins: ``ds01.adapters.host.staging``."""


def said(registry: Registry, user: DoorUser, text: str, known: Collection[str] = ()) -> str:
    """The text without what only the engine knows: its names of what is hers, where her folders are pinned, and ids
    of what she does not see. ``known`` are ids she has said herself.
    """
    text = plain_text(re.sub(rf"\._\.{user.uid}(?!\d)", "", _cut(text)), user.uid)
    text = re.sub(rf"{user_network(user.uid)}(?!\d)", OWN, text)
    text = _cut(_as_written(registry, user, text))
    return _ID.sub(lambda match: match[0] if match[0] in known or _sees(registry, user, match[0]) else ELSE, text)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]} …"


def _as_written(registry: Registry, user: DoorUser, text: str) -> str:
    """With her own paths for pinned folders, found in one go."""
    asked = {place: path for container in registry.containers(user) for place, path in container.binds.items()}
    pins = {os.path.dirname(os.path.dirname(os.path.dirname(place))) for place in asked}
    for pin in pins:
        text = re.sub(re.escape(pin) + _PIN, lambda match: asked.get(match[0], match[0]), text)
    return text


def _sees(registry: Registry, user: DoorUser, subject: str) -> bool:
    seen = registry.by_id(user, subject) or registry.network_by_id(user, subject)
    return seen is not None or registry.volume_by_id(user, subject) is not None
