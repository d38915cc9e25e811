"""The seal on a container's labels: whoever can write labels on the engine's own socket cannot write DS01's.

A container that the ledger does not know is taken for its owner's by its labels. That is right after ds01d died at a
bad moment, and wrong when somebody wrote the labels by hand. The key is in the ledger; where the ledger itself was lost
there is nothing to compare with, and the labels are believed once.

What changes in a container's life is not sealed: its lease and its slots, which the ledger knows better.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

from ds01.domain.container import Label

SEALED = (
    Label.SCHEMA, Label.OWNER, Label.EPOCH, Label.NAME, Label.DOOR, Label.IMAGE, Label.GPUS, Label.FORCED_USER,
    Label.PINS, Label.BINDS, Label.AMOUNTS,
)  # fmt: skip


def sealed(labels: Mapping[str, str], key: str) -> dict[str, str]:
    """The labels with their seal."""
    return {**labels, Label.SEAL: _seal(labels, key)}


def genuine(labels: Mapping[str, str], key: str) -> bool:
    """Whether DS01 wrote these labels."""
    return hmac.compare_digest(labels.get(Label.SEAL, "").encode(), _seal(labels, key).encode())


def _seal(labels: Mapping[str, str], key: str) -> str:
    text = json.dumps([labels.get(name, "") for name in SEALED])
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
