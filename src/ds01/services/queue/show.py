"""The queue as somebody sees it: her own places; of others only how many, for admins who ask with their names."""

from __future__ import annotations

from ds01.domain.queue.request import Request, RequestState
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.queue.place import places
from ds01.services.queue.scene import owner_of
from ds01.services.world import World
from ds01.wire.queue import QueueView


async def show(world: World, caller: Caller, *, everybody: bool = False) -> QueueView:
    """All places of the caller, or of everybody, the next one first."""
    return await world.ledger.read(lambda books: view(books, world, caller, everybody=everybody))


def view(books: Books, world: World, caller: Caller, *, everybody: bool = False) -> QueueView:
    """The same within a transaction."""
    every = books.open_requests()
    shown = [request for request in every if everybody or owner_of(request) == caller.owner]
    views = places(books, world, shown)
    waiting = sum(1 for request in every if _waits(request))
    return QueueView(
        places=tuple(sorted(views, key=lambda one: (one.place, one.since))),
        waiting=waiting,
        reserved=len(every) - waiting,
        others=sum(1 for request in every if owner_of(request) != caller.owner),
    )


def _waits(request: Request) -> bool:
    return request.state is RequestState.WAITING
