"""A place in the queue, as it is shown: the how-manieth, why, and what would start now instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from ds01.domain.gpu import GpuAsk, flags
from ds01.domain.quantity import show_duration
from ds01.domain.queue.plan import Plan, Why
from ds01.domain.queue.request import Request, RequestId, RequestState
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.people import Names, names
from ds01.services.queue.scene import Scene, scene, waiting
from ds01.services.world import World
from ds01.wire.queue import PlaceView

WORDS = {
    Why.QUOTA: "You hold as much as you may: it starts when something of yours ends.",
    Why.FULL: "Nothing that fits is free, and you are next.",
    Why.BOOKING: "What is free is booked for somebody before you would be done.",
    Why.FAIR_SHARE: "Those who had less lately, or have waited longer, go first.",
    Why.HEAD: "What is free is being collected for somebody who needs several and is next.",
    Why.QUARANTINE: "Too much is out of service for it ever to start; ask an admin.",
}
"""Why somebody waits, said to her."""

MANY = 1000
"""In a longer queue nobody is told what would start now: it would take too long to find out for everybody."""
SHORT = (timedelta(hours=4), timedelta(hours=1), timedelta(minutes=15))


async def place(world: World, caller: Caller, request: RequestId) -> PlaceView:
    """One place as it is now."""

    def read(books: Books) -> PlaceView:
        found = books.request(request)
        if found is None:
            raise LookupError(request)
        return Places(books, world, names(books)).view(found)

    return await world.ledger.read(read)


class Places:
    """The views of places, out of one look at the books."""

    def __init__(self, books: Books, world: World, called: Names) -> None:
        self._books = books
        self._called = called
        self._waiting = waiting(books)
        self._scene = scene(books, world.line, world.settings().queue, world.clock.now())
        self._plan = self._decided(world)

    def _decided(self, world: World) -> Plan:
        """The last pass, unless somebody came since."""
        last = world.line.outlook.plan
        if all(request.id in last.reasons for request in self._waiting):
            return last
        return self._scene.plan(self._waiting)

    def view(self, request: Request) -> PlaceView:
        """One place. Whoever would start in the next moment is first."""
        if request.state is not RequestState.WAITING:
            return self._bare(request)
        order = [one for one in self._plan.order if self._waits(one)]
        why = self._plan.reasons.get(request.id, Why.FULL)
        return replace(
            self._bare(request),
            place=order.index(request.id) + 1 if request.id in order else 1,
            of=len(self._waiting),
            reason=why.value,
            text=WORDS[why],
            instead=self._instead(request),
        )

    def _waits(self, request: RequestId) -> bool:
        return any(one.id == request for one in self._waiting)

    def _bare(self, request: Request) -> PlaceView:
        lease = self._books.lease(request.lease) if request.lease is not None else None
        held = lease.slots if lease is not None else ()
        return PlaceView(
            name=request.name,
            owner=self._called(request.uid),
            state=request.state.value,
            asked=flags(request.ask),
            since=request.submitted_at.isoformat(),
            planned_seconds=None if request.planned is None else int(request.planned.total_seconds()),
            wait_until=_shown(request.wait_until),
            claim_until=_shown(lease.expires_at if lease is not None else None),
            slots=tuple(slot.label for slot in self._books.slots() if slot.id in held),
        )

    def _instead(self, request: Request) -> str:
        """What she could have at once: a smaller request that the same pass would start now."""
        if len(self._waiting) > MANY:
            return ""
        others = [other for other in self._waiting if other.id != request.id]
        return next((_said(one) for one in _smaller(request, self._scene) if self._starts(one, others)), "")

    def _starts(self, request: Request, others: list[Request]) -> bool:
        plan = self._scene.plan([*others, request])
        return any(start.request == request.id for start in plan.starts)


def _smaller(request: Request, seen: Scene) -> Iterator[Request]:
    """Smaller requests, the nearest first: a shorter time, fewer GPUs, a smaller kind of slot."""
    asks = [request.ask]
    asks += [replace(request.ask, count=count) for count in range(request.ask.count - 1, 0, -1)]
    kinds = {slot.profile: slot.gpueq for slot in seen.server.slots}
    asks += [GpuAsk(profile=kind) for kind in sorted(kinds, key=lambda kind: -kinds[kind]) if kind != "full"]
    for ask in asks:
        if ask != request.ask:
            yield replace(request, ask=ask)
        for length in SHORT:
            if request.planned is None or length < request.planned:
                yield replace(request, ask=ask, planned=length)


def _said(request: Request) -> str:
    length = "" if request.planned not in SHORT else f" --time {show_duration(request.planned)}"
    return flags(request.ask) + length


def _shown(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
