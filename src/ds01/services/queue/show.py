"""The queue as somebody sees it: her own places; of others only how many, for admins who ask with their names."""

from __future__ import annotations

from ds01.domain.queue.request import Request, RequestState
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.people import names
from ds01.services.queue.place import Places
from ds01.services.queue.scene import owner_of
from ds01.services.world import World
from ds01.wire.queue import PlaceView, QueueView


async def show(world: World, caller: Caller, *, everybody: bool = False) -> QueueView:
    """All places of the caller, or of everybody, the next one first."""
    return await world.ledger.read(lambda books: view(books, world, caller, everybody=everybody))


def view(books: Books, world: World, caller: Caller, *, everybody: bool = False) -> QueueView:
    """The same within a transaction."""
    every = books.open_requests()
    shown = [request for request in every if everybody or owner_of(request) == caller.owner]
    places = Places(books, world, names(books)) if shown else None
    views = [places.view(request) for request in shown] if places is not None else []
    waiting = sum(1 for request in every if _waits(request))
    return QueueView(
        places=tuple(sorted(views, key=lambda one: (one.place, one.since))),
        waiting=waiting,
        reserved=len(every) - waiting,
        others=sum(1 for request in every if owner_of(request) != caller.owner),
    )


def turns(books: Books, world: World, caller: Caller) -> tuple[PlaceView, ...]:
    """Her places whose turn it is."""
    mine = [request for request in books.open_requests(caller.uid) if owner_of(request) == caller.owner]
    reserved = [request for request in mine if not _waits(request)]
    return tuple(map(Places(books, world, names(books)).view, reserved)) if reserved else ()


def _waits(request: Request) -> bool:
    return request.state is RequestState.WAITING
