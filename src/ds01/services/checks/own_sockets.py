"""Does the gateway serve the socket of every user whose containers talk to Docker?

A place that it could not use is told once; whether it is served meanwhile is tried.
"""

from __future__ import annotations

from ds01.domain.events import EventType
from ds01.domain.quantity import many
from ds01.ports.ledger import Books
from ds01.services.checks import Check, Finding, ok, warning
from ds01.services.people import names
from ds01.services.world import World
from ds01.wire.door import GATEWAY_HEADER


async def _run(world: World) -> Finding:
    told = await world.ledger.read(_told)
    closed = [line for place, line in told.items() if GATEWAY_HEADER not in await _answer(world, place)]
    if closed:
        return warning(
            f"The gateway has no place for the sockets of {many(len(closed), 'user')}: in their containers docker does"
            " not work, and those that mount it do not start.",
            f"Make room in {world.paths.doors} (df -h, df -i); the gateway then opens them by itself.",
            sorted(closed),
        )
    return ok("Users' containers find their own sockets.")


async def _answer(world: World, place: str) -> frozenset[str]:
    return frozenset(await world.facts.headers(place, "/_ping") or ())


def _told(books: Books) -> dict[str, str]:
    """Each place the gateway could not use, with whose it is and why that was."""
    called = names(books)
    return {
        event.subject: f"{called(event.uid)}: {event.subject}: {event.details.get('reason', '')}"
        for event in books.events(types=(EventType.DOOR_CLOSED,))
        if event.uid is not None
    }


CHECK = Check(about="the sockets of users' containers are served", run=_run)
