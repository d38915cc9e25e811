"""The seal on labels of containers, volumes and networks: whoever writes labels on the engine's own socket forges none.

A container that the ledger does not know is taken for its owner's by its labels. That is right after ds01d died at a
bad moment, and wrong when somebody wrote the labels by hand. The key is in the ledger and in a file beside it; where
both were lost there is nothing to compare with, and the labels are believed once.

A volume or a network that bears a user's name is hers for the same reason or not at all: who had the engine's socket
while the gateway only watched may have made it.

What changes in a container's life is not sealed: its lease and its slots, which the ledger knows better.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

from ds01.domain.labels import Label

SEALED = (
    Label.SCHEMA, Label.OWNER, Label.EPOCH, Label.NAME, Label.DOOR, Label.IMAGE, Label.GPUS, Label.FORCED_USER,
    Label.PINS, Label.BINDS, Label.AMOUNTS,
)  # fmt: skip

SEALED_LATER = (Label.GPU_MEMORY,)
"""Counted only where they say something, so that the seals of containers without them still hold."""


def sealed(labels: Mapping[str, str], key: str) -> dict[str, str]:
    """The labels with their seal."""
    return {**labels, Label.SEAL: _seal(labels, key)}


def genuine(labels: Mapping[str, str], key: str) -> bool:
    """Whether DS01 wrote these labels."""
    return hmac.compare_digest(labels.get(Label.SEAL, "").encode(), _seal(labels, key).encode())


def _seal(labels: Mapping[str, str], key: str) -> str:
    later = [labels[name] for name in SEALED_LATER if labels.get(name)]
    text = json.dumps([labels.get(name, "") for name in SEALED] + later)
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def sealed_thing(kind: str, stored: str, labels: Mapping[str, str], key: str) -> dict[str, str]:
    """The labels of a volume or a network with their seal. It is good for this engine's name alone."""
    return {**labels, Label.SEAL: _thing_seal(kind, stored, labels, key)}


def genuine_thing(kind: str, stored: str, labels: Mapping[str, str], key: str) -> bool:
    """Whether DS01 made the volume or network that has these labels."""
    return hmac.compare_digest(labels.get(Label.SEAL, "").encode(), _thing_seal(kind, stored, labels, key).encode())


def _thing_seal(kind: str, stored: str, labels: Mapping[str, str], key: str) -> str:
    text = json.dumps([kind, stored, labels.get(Label.OWNER, ""), labels.get(Label.EPOCH, "")])
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
