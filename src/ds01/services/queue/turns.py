"""The pass: whose turn it is, decided and written in one transaction, whenever something may have come free.

The ledger says when to look: an event that frees, asks or changes the rules. What comes while a pass runs is seen by
the next one, so a burst of a hundred changes is one pass. Every few seconds it looks anyway, because time alone makes
some go first and ends the wait of others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from ds01.domain.container import Door
from ds01.domain.errors import GPU_FULL, Ds01Error
from ds01.domain.events import EventType
from ds01.domain.history import Past
from ds01.domain.lease import LeaseId, LeaseState
from ds01.domain.limits import Limits
from ds01.domain.queue.plan import Owner, Plan, Rules, Start
from ds01.domain.queue.request import Request, RequestId, RequestState
from ds01.domain.queue.yielding import giving_way
from ds01.domain.settings import Settings
from ds01.ports.ledger import Books
from ds01.services.countdown import Countdown
from ds01.services.lease import release
from ds01.services.limits import of_everybody
from ds01.services.queue import turn
from ds01.services.queue.place import drawn
from ds01.services.queue.scene import HEAD, Told, owner_of, scene, waiting
from ds01.services.world import World
from ds01.wire.queue import PlaceView

_log = logging.getLogger(__name__)

PERIOD_SECONDS = 10.0
BURST_SECONDS = 0.02
"""What comes so soon after a pass is waited for with what comes with it: a hundred jobs a second are fifty passes."""
MANY = 1000
"""Of a longer queue nothing is learned about estimates: reckoning takes as long as the pass."""
LEARN_SECONDS = 60.0
"""How often everybody's limits are asked for again: groups change in the directory, too."""

HISTORY = timedelta(days=30)
"""How far back a ds01d that starts looks for how long people's runs were."""

RELEVANT = (
    EventType.LEASE_GRANTED, EventType.LEASE_RELEASED, EventType.LEASE_REVOKED, EventType.LEASE_HELD,
    EventType.QUEUE_JOINED, EventType.QUEUE_RETURNED, EventType.QUEUE_CLAIMED, EventType.QUEUE_EXPIRED,
    EventType.QUEUE_CANCELLED, EventType.POLICY_RELOADED, EventType.SLOT_QUARANTINED, EventType.SLOT_VANISHED,
    EventType.BOOKING_MADE, EventType.BOOKING_CANCELLED, EventType.BOOKING_BEGAN, EventType.BOOKING_RELEASED,
    EventType.BOOKING_ENDED,
    EventType.SLOT_RETURNED, EventType.GPU_DIVIDED,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Passed:
    """What a pass wrote: remembered when it is in the ledger, and nothing of it when it could not be written.

    ``collected`` are those whose request for several slots got them.
    """

    plan: Plan
    giving_way: frozenset[LeaseId]
    collected: frozenset[Owner]


class Turns:
    """Gives turns, one pass at a time. One of these looks all the time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._countdown = Countdown()
        self._seen = 0
        self._passed = -inf
        self._learned: tuple[Settings | None, float] = (None, -inf)
        self._heard: datetime | None = None

    async def round(self) -> None:
        """Wait until there may be something to do, and do it."""
        world = self._world
        await world.ledger.wait(self._seen, PERIOD_SECONDS, RELEVANT)
        if world.clock.monotonic() - self._passed < BURST_SECONDS:
            await world.clock.sleep(BURST_SECONDS)
        last = await world.ledger.wait(self._seen, 0)
        late = world.clock.monotonic() - self._passed >= PERIOD_SECONDS
        if late or world.ledger.heard(self._seen, RELEVANT):
            await self.take()
        self._seen = last

    async def take(self) -> Plan:
        """One pass. Those who wait with an open connection are told afterwards."""
        world = self._world
        self._passed = world.clock.monotonic()
        ends, owners, booked = await world.ledger.read(_look)
        over = self._countdown.past(ends, world.clock.now(), self._passed)
        plan, places = Plan(), dict[RequestId, PlaceView]()
        world.line.giving_way = world.line.giving_way if ends or booked else frozenset()
        if ends or booked:
            await self._learn(owners)
            now = world.clock.now()
            passed = await world.ledger.write(lambda books: _pass(books, world, over, now))
            plan, world.line.giving_way = passed.plan, passed.giving_way
            world.line.gathered |= dict.fromkeys(passed.collected, now)
            places = await self._tell(plan)
        world.line.publish(plan, world.clock.now(), places)
        return plan

    async def _tell(self, plan: Plan) -> dict[RequestId, PlaceView]:
        """The places of those who wait with an open connection, all at once: one look for a hundred people.

        What is reckoned for those who are new is noted, and what was reckoned for those whose turn has come is learned
        from.
        """
        world, line = self._world, self._world.line
        line.came([start.request for start in plan.starts], frozenset(plan.order), self._passed)
        present = line.present() & frozenset(plan.order)
        new = frozenset(plan.order) - line.reckoned.keys() if len(plan.order) <= MANY else frozenset()
        if not present | new:
            return {}

        def read(books: Books) -> tuple[Told, dict[RequestId, PlaceView]]:
            every = waiting(books)
            seen = scene(books, line, world.settings().queue, world.clock.now())
            told = seen.explain(every, present | new, line.ranges)
            shown = [request for request in every if request.id in present]
            views = drawn(books, shown, told, len(every))
            return told, {request.id: view for request, view in zip(shown, views, strict=True)}

        told, places = await world.ledger.read(read)
        line.reckon(told, self._passed)
        return places

    async def _learn(self, owners: set[Owner]) -> None:
        """What everybody who waits or holds something may have, asked again when that may have changed."""
        world = self._world
        settings, since = self._learned
        fresh = settings is world.settings() and self._passed - since < LEARN_SECONDS
        wanted = owners - world.line.members.keys() if fresh else owners
        if wanted:
            world.line.learn(await asyncio.to_thread(_limits, world, wanted))
        if not fresh:
            self._learned = (world.settings(), self._passed)
            await self._learn_runs()

    async def _learn_runs(self) -> None:
        """How much of what they planned people used, from the leases that ended since the last time; and, after a start
        of ds01d, when somebody's turn for several slots was.
        """
        world, since = self._world, self._heard
        self._heard = now = world.clock.now()
        past = await world.ledger.read(lambda books: books.past(since or now - HISTORY))
        if since is None:
            self._learn_turns(past)
        for lease in (one.lease for one in past):
            ended = lease.ended_at
            if ended is None or lease.container is None or lease.planned is None or (since and ended <= since):
                continue
            used = (ended - lease.granted_at).total_seconds()
            world.line.runs.saw(owner_of(lease), lease.planned.total_seconds(), used)

    def _learn_turns(self, past: Iterable[Past]) -> None:
        """Those who collect take turns, over a restart too."""
        gathered = self._world.line.gathered
        for one in past:
            if one.submitted_at is not None and len(one.lease.slots) > 1:
                owner, at = owner_of(one.lease), one.lease.granted_at
                gathered[owner] = max(at, gathered.get(owner, at))


def _look(books: Books) -> tuple[dict[RequestId, datetime | None], set[Owner], bool]:
    """Everybody in the queue with when each gives up by herself; whose the queue and the leases are; whether anything
    is booked."""
    every = books.open_requests()
    ends = {one.id: one.wait_until if one.state is RequestState.WAITING else None for one in every}
    return ends, {*map(owner_of, every), *map(owner_of, books.open_leases())}, bool(books.bookings())


def _limits(world: World, owners: Collection[Owner]) -> dict[Owner, Limits]:
    """Of those who have an account; the others are asked for again next time."""
    found = of_everybody(world, ((owner.uid, Door.DS01) for owner in owners))
    keys = {owner: (owner.uid, Door.DS01.value) for owner in owners}
    return {owner: found[key][1] for owner, key in keys.items() if key in found}


def _pass(books: Books, world: World, over: Mapping[RequestId, datetime], now: datetime) -> _Passed:
    turn.settle(books, now)
    _return_ill(books, now)
    for request in waiting(books):
        if request.wait_until is not None and over.get(request.id) == request.wait_until:
            turn.expire(books, request, turn.LONG_ENOUGH, now)
    rules = world.settings().queue
    known = {request.id: request for request in waiting(books) if owner_of(request) in world.line.members}
    seen = scene(books, world.line, rules, now)
    plan = seen.plan(known.values())
    leaving = giving_way(plan, known, seen.server, seen.members, now, world.line.giving_way)
    _let_go(books, leaving, now)
    given = [known[start.request] for start in plan.starts if _start(books, rules, known[start.request], start, now)]
    _remember_head(books, plan, known, rules, now)
    collected = frozenset(owner_of(request) for request in given if rules.collects(request, now))
    return _Passed(plan=plan, giving_way=leaving, collected=collected)


def _let_go(books: Books, leases: Iterable[LeaseId], now: datetime) -> None:
    """A GPU that is only kept for a stopped container that yields is free at once: nothing is lost with it."""
    for one in leases:
        lease = books.lease(one)
        if lease is not None and lease.state is LeaseState.HELD:
            release(books, one, "it gave way to somebody who waits for its GPU or has it booked", now)


def _return_ill(books: Books, now: datetime) -> None:
    """Slots kept for somebody that fell ill meanwhile are of no use to her."""
    ill = books.quarantined()
    if not ill:
        return
    gpus = {slot.id: slot.gpu for slot in books.slots()}
    for request in books.open_requests():
        lease = books.lease(request.lease) if request.lease is not None else None
        if lease is not None and any(slot in ill or gpus.get(slot) in ill for slot in lease.slots):
            turn.wait_again(books, request, "its GPU was taken out of service", now)


def _start(books: Books, rules: Rules, request: Request, start: Start, now: datetime) -> bool:
    """Whether its turn was given: one that cannot be written must not stop the others."""
    try:
        turn.take_turn(books, request, start.placed, rules, now, start.booking)
    except Ds01Error as error:
        if error.kind is not GPU_FULL:
            raise
        _log.error("a turn could not be given", extra={"request": request.id, "why": error.problem.reason})
        return False
    return True


def _remember_head(
    books: Books, plan: Plan, known: Mapping[RequestId, Request], rules: Rules, now: datetime
) -> None:  # fmt: skip
    head = plan.head.request if plan.head is not None else None
    kept = head if head is not None and rules.collects(known[head], now) else ""
    if (books.note(HEAD) or "") != kept:
        books.put_note(HEAD, kept)
