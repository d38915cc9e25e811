"""A hash chain over the events: each row's hash covers the row and the hash before it.

Edits made around DS01 become visible: whoever changes, drops or inserts an old event breaks every later link.
It proves no more than that; who may write the file may also write a whole new chain.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC

from sqlalchemy import Connection

from ds01.adapters.sql import statements
from ds01.domain.events import Event

START = "0" * 64


def link(before: str, event: Event) -> str:
    """The hash of an event that follows one with the hash ``before``."""
    parts = [
        before, event.at.astimezone(UTC).isoformat(), event.type.value, event.actor, event.uid, event.subject,
        event.outcome, dict(event.details), event.schema,
    ]  # fmt: skip
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def broken(connection: Connection) -> int | None:
    """The first event whose hash does not follow from what is before it, or None."""
    before = START
    for row in connection.execute(statements.CHAIN):
        values = dict(row._mapping)
        found = values.pop("hash")
        before = link(before, Event(**values))
        if found != before:
            return int(row.seq)
    return None
