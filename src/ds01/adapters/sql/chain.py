"""A hash chain over the events: each row's hash covers the row and the hash before it.

Edits made around DS01 become visible: whoever changes, drops or inserts an old event breaks every later link.
It proves no more than that; who may write the file may also write a whole new chain.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row

from ds01.adapters.sql import statements
from ds01.domain.events import Event, named
from ds01.ports.ledger import Audit

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


def whole(connection: Connection) -> Audit:
    """Every event there ever was, from the first on, until one is not as DS01 wrote it."""
    before, count = START, 0
    for row in connection.execute(statements.WHOLE_CHAIN).yield_per(PAGE):
        if not _follows(before, row):
            return Audit(events=count, broken=row.seq, wrong=_changed(row))
        before, count = row.hash, count + 1
    return Audit(events=count)


def broken(connection: Connection, latest: int) -> str:
    """The first of the latest events whose hash does not follow from what is before it, in words, or ``""``."""
    rows = connection.execute(statements.CHAIN.limit(latest + 1)).all()[::-1]
    before = START
    for number, row in enumerate(rows):
        if not _follows(before, row) and (number > 0 or len(rows) <= latest):
            return _changed(row)
        before = row.hash
    return ""


def _follows(before: str, row: Row[Any]) -> bool:
    """Whether this row, as it is written, is what its hash says. One that cannot be read was not written by DS01."""
    values = dict(row._mapping)
    try:
        values |= {
            "at": datetime.fromisoformat(row.at),
            "type": named(row.type),
            "details": json.loads(row.details),
        }
        return bool(row.hash == link(before, Event(**values)))
    except (TypeError, ValueError):
        return False


def _changed(row: Row[Any]) -> str:
    """What is wrong then. When an event is missing, it is the one after it."""
    return f"event {row.seq} ({row.type}, {row.at}) is not as DS01 wrote it, or one before it is missing"
