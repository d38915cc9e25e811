"""The ledger's own history as a trace: what would other limits have done to it?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ds01.domain.events import Event
from ds01.domain.history import ENDS, TraceJob, ended, trace
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, require_admin
from ds01.services.events import since as moment
from ds01.services.people import names
from ds01.services.world import World
from ds01.wire.history import TraceJobView


async def show_history(world: World, caller: Caller, since: str) -> tuple[TraceJobView, ...]:
    """Every lease that was open at some time since then. Raises Ds01Error."""
    require_admin(caller, "see everybody's leases")
    now = world.clock.now()
    from_ = moment(since or "30d", now)

    def read(books: Books) -> tuple[TraceJob, ...]:
        past, called = ended(books.past(from_), _ends(books, from_)), names(books)
        return trace(past, {each.lease.uid: called(each.lease.uid) for each in past}, now)

    found = await world.ledger.read(read)
    return tuple(
        TraceJobView(
            job_id=each.id, user=each.user, submit_s=each.submit, duration_s=each.duration, gpus=each.gpus,
            asked_s=each.asked, idle_s=each.idle, held_s=each.held,
        )
        for each in found
    )  # fmt: skip


def _ends(books: Books, since: datetime) -> Iterator[Event]:
    """All events that tell of ends, a thousand at a time."""
    after = 0
    while found := books.events(types=ENDS, since=since, after=after):
        yield from found
        after = found[-1].seq
