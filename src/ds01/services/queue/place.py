"""A place in the queue, as it is shown: the how-manieth, why, when, and what would start now instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from ds01.domain.gpu_ask import flags
from ds01.domain.quantity import show_duration
from ds01.domain.queue.explain import Explanation, Instead
from ds01.domain.queue.request import Request, RequestId, RequestState
from ds01.ports.ledger import Books
from ds01.services.people import names
from ds01.services.queue.scene import Told, scene, waiting
from ds01.services.world import World
from ds01.wire.queue import InsteadView, PlaceView

SOON = "it is its turn in a moment"


async def place(world: World, request: RequestId) -> PlaceView:
    """One place as it is now."""

    def read(books: Books) -> PlaceView:
        found = books.request(request)
        if found is None:
            raise LookupError(request)
        return places(books, world, [found])[0]

    return await world.ledger.read(read)


def places(books: Books, world: World, requests: Iterable[Request]) -> tuple[PlaceView, ...]:
    """These places, out of one look at the books."""
    shown, every = tuple(requests), waiting(books)
    wanted = [request.id for request in shown if request.state is RequestState.WAITING]
    told: Told = {}
    if wanted:
        seen = scene(books, world.line, world.settings().queue, world.clock.now())
        told = seen.explain(every, wanted, world.line.ranges)
    return drawn(books, shown, told, len(every))


def drawn(books: Books, requests: Iterable[Request], told: Told, of: int) -> tuple[PlaceView, ...]:
    """The views of these requests, of whom ``told`` is known, among ``of`` who wait."""
    called = names(books)
    return tuple(_told(_bare(books, one, called(one.uid)), told.get(one.id), of) for one in requests)


def _bare(books: Books, request: Request, owner: str) -> PlaceView:
    lease = books.lease(request.lease) if request.lease is not None else None
    held = lease.slots if lease is not None else ()
    return PlaceView(
        name=request.name,
        owner=owner,
        state=request.state.value,
        asked=flags(request.ask),
        since=request.submitted_at.isoformat(),
        planned_seconds=None if request.planned is None else int(request.planned.total_seconds()),
        wait_until=_shown(request.wait_until),
        claim_until=_shown(lease.expires_at if lease is not None else None),
        slots=tuple(slot.label for slot in books.slots() if slot.id in held),
        job=not request.interactive,
    )


def _told(bare: PlaceView, told: Explanation | None, of: int) -> PlaceView:
    """Whoever is not told anything would start in this moment, or has her turn already."""
    if bare.state != RequestState.WAITING.value:
        return bare
    if told is None:
        return replace(bare, place=1, of=of, text=SOON)
    return replace(
        bare, place=told.position, of=of, reason=told.why.value, text=told.words, earliest=_shown(told.earliest),
        latest=_shown(told.latest), instead=tuple(_instead(one) for one in told.instead if one.ask.profile != "full"),
    )  # fmt: skip


def _instead(one: Instead) -> InsteadView:
    """What to type for it; a time only where that is what is different."""
    shorter = one.planned is not None and one.what == SHORTER
    length = f" --time {show_duration(one.planned)}" if shorter else ""
    return InsteadView(flags=flags(one.ask) + length, what=one.what)


SHORTER = "a shorter time"
"""What ``explain`` calls it."""


def _shown(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
