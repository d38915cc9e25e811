"""The gateway's decisions, as events of the user they are about."""

from __future__ import annotations

from collections.abc import Sequence

from ds01.domain.events import Event, EventType
from ds01.domain.people import Uid
from ds01.ports.ledger import Books
from ds01.services.world import World
from ds01.wire.door import DoorAudit

_TYPES = {
    "denied": EventType.DOOR_DENIED,
    "allowed": EventType.DOOR_ALLOWED,
    "observed": EventType.DOOR_OBSERVED,
    "closed": EventType.DOOR_CLOSED,
    "glass": EventType.DOOR_GLASS,
}


async def record(world: World, entries: Sequence[DoorAudit]) -> None:
    """Write them down, all in one transaction."""
    now = world.clock.now()

    def write(books: Books) -> None:
        for entry in entries:
            details = {
                "method": entry.method,
                "path": entry.path,
                "rule": entry.rule,
                "reason": entry.reason,
                "advice": entry.advice,
                "changes": "; ".join(entry.changes),
                "login_uid": _other(entry),
            }
            books.record(
                Event(
                    at=now,
                    type=_TYPES[entry.outcome],
                    actor=Uid(entry.uid),
                    uid=Uid(entry.uid),
                    subject=entry.subject or entry.path,
                    outcome=entry.outcome,
                    details={key: value for key, value in details.items() if value},
                )
            )

    await world.ledger.write(write)


def _other(entry: DoorAudit) -> str:
    """Who logged in, where it was somebody else: the session of an account that ``su`` or ``sudo`` changed."""
    return "" if entry.login_uid in (None, entry.uid) else str(entry.login_uid)
