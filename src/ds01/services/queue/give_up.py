"""Giving up a place in the queue."""

from __future__ import annotations

from ds01.domain.errors import NO_REQUEST, Ds01Error
from ds01.domain.names import nearest
from ds01.domain.people import Uid
from ds01.domain.queue.request import Request
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.find import hers
from ds01.services.queue import turn
from ds01.services.queue.place import places
from ds01.services.world import World
from ds01.wire.queue import PlaceView


async def give_up(world: World, caller: Caller, name: str) -> PlaceView:
    """The place as it was; what was kept for it goes back. Raises Ds01Error (``request.unknown``)."""

    def write(books: Books) -> PlaceView:
        request = find(books, caller, name)
        (was,) = places(books, world, [request])
        turn.give_up(books, request, world.clock.now(), actor=caller.actor, reason=_by(caller))
        return was

    return await world.ledger.write(write)


def find(books: Books, caller: Caller, name: str) -> Request:
    """Her open request of this name. Raises Ds01Error with the name she may mean."""
    found = turn.named(books, caller.owner, name)
    if found is None:
        raise _unknown(caller, name, [request.name for request in books.open_requests(Uid(caller.uid))])
    return found


def _unknown(caller: Caller, name: str, known: list[str]) -> Ds01Error:
    meant = nearest(name, known)
    return Ds01Error(
        NO_REQUEST,
        f"'{name}' does not wait for a GPU." + (f" Did you mean '{meant}'?" if meant else ""),
        reason=f"These do: {', '.join(sorted(known))}." if known else f"Nothing of {hers(caller)} does.",
        hint="ds01 queue",
    )


def _by(caller: Caller) -> str:
    return f"by admin {caller.actor_login}" if caller.for_another else ""
