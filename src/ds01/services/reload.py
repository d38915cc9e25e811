"""Read the limits file again when it changed, and put on record whether it is in force."""

from __future__ import annotations

import asyncio

from ds01.domain.events import Event, EventType
from ds01.ports.clock import Clock
from ds01.ports.ledger import Books, Ledger
from ds01.ports.policy import PolicyFile, Reload


async def reload(policy: PolicyFile, ledger: Ledger, clock: Clock) -> Reload | None:
    """One look at the file, for the daemon's loop; None when nothing changed."""
    change = await asyncio.to_thread(policy.reload)
    if change is None:
        return None
    event = Event(
        at=clock.now(),
        type=EventType.POLICY_REJECTED if change.problem else EventType.POLICY_RELOADED,
        actor=None,
        uid=None,
        subject=change.file,
        outcome="failed" if change.problem else "done",
        details={"problem": change.problem} if change.problem else {},
    )

    def record(books: Books) -> None:
        books.record(event)

    await ledger.write(record)
    return change
