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
PAGE = 1000
_JSON = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def link(before: str, event: Event) -> str:
    """The hash of an event that follows one with the hash ``before``."""
    parts = [
        before, event.at.astimezone(UTC).isoformat(), event.type.value, event.actor, event.uid, event.subject,
        event.outcome, dict(event.details), event.schema,
    ]  # fmt: skip
    return hashlib.sha256(_JSON.encode(parts).encode()).hexdigest()


def whole(connection: Connection) -> tuple[tuple[str, ...], int]:
    """The same for every event there ever was, as sentences; and how many there are."""
    before, count = START, 0
    for row in connection.execute(statements.WHOLE_CHAIN).yield_per(PAGE):
        values = dict(row._mapping)
        found = values.pop("hash")
        if found != link(before, Event(**values)):
            return (changed(int(row.seq)),), count
        before, count = found, count + 1
    return (), count


def changed(seq: int) -> str:
    """What is wrong then."""
    return f"event {seq} is not as DS01 wrote it"


def broken(connection: Connection, latest: int) -> int | None:
    """The first of the latest events whose hash does not follow from what is before it, or None."""
    rows = connection.execute(statements.CHAIN.limit(latest + 1)).all()[::-1]
    before = START
    for number, row in enumerate(rows):
        values = dict(row._mapping)
        found = values.pop("hash")
        expected = link(before, Event(**values))
        if found != expected and (number > 0 or len(rows) <= latest):
            return int(row.seq)
        before = found
    return None
