"""The pass as a function: everybody who waits, the server, and what is known of people → who starts, and why not.

It builds the working state, lets ``passing`` run over it once, and asks ``placement`` which of the open slots each
one gets, so that a turn in the queue is placed by the same rule as a grant at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from heapq import nsmallest
from math import inf

from ds01.domain.gpu import Slot
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.placement import Inventory, Placed, fits, place
from ds01.domain.queue.booking import Booking
from ds01.domain.queue.floor import NOBODY, WHOLE, Floor, Run, Shape, Span
from ds01.domain.queue.line import Line, Meter, Person, Waiter
from ds01.domain.queue.passing import Passing
from ds01.domain.queue.plan import Head, Member, Order, Owner, Plan, Rules, Server, Start, Taken, Why, starting
from ds01.domain.queue.request import Request, RequestId
from ds01.domain.queue.seating import seated
from ds01.domain.queue.seats import Seats
from ds01.domain.queue.usage import parts

_YEARS = 10 * 365 * 86400.0
_PARTS = 1000
"""No GPU has so many slices: what it divides is exact again when it comes back from a float."""
LAST = 10**9
"""Whoever yields stands behind everybody: no head start and no wait is as long."""


def decide(
    waiting: Iterable[Request], server: Server, members: Mapping[Owner, Member], now: datetime,
    rules: Rules | None = None, *, kept: RequestId | None = None,
) -> Plan:  # fmt: skip
    """Who starts now and where, who is next, and why the others wait.

    ``members`` has everybody who waits or holds slots, and whoever else's usage should count. ``kept`` is the head
    of the last plan: one that gathers slots keeps its time. ``waiting`` are requests in state waiting.
    """
    return settled(waiting, server, members, now, rules or Rules(), kept)[1]


def settled(
    waiting: Iterable[Request], server: Server, members: Mapping[Owner, Member], now: datetime,
    rules: Rules, kept: RequestId | None,
) -> tuple[Scene, Plan]:  # fmt: skip
    """Passes until nobody more starts, and what came of them all; the scene is that of the last one.

    Who is started on slots that nobody is promised may end so late that the head, or a booking, does better with them
    than with what was kept for it: that is then free for somebody who was passed by.
    """
    starts: tuple[Start, ...] = ()
    left = tuple(waiting)
    while True:
        scene = Scene(left, server, members, now, rules, kept)
        plan = scene.plan()
        starts += plan.starts
        if not plan.starts or not scene.may_leave_something():
            return scene, replace(plan, starts=starts)
        server, members = scene.after(plan.starts)
        left = tuple(one for one in left if one.id in plan.reasons)
        kept = plan.head.request if plan.head is not None else None


class Scene:
    """The working state of one pass, in the numbers ``passing`` works with."""

    def __init__(
        self, waiting: Iterable[Request], server: Server, members: Mapping[Owner, Member], now: datetime,
        rules: Rules, kept: RequestId | None,
    ) -> None:  # fmt: skip
        self.now = now
        self._at = now.timestamp()
        self._rules = rules
        self._server = server
        self._members = members
        self._slots = server.slots
        self._number = {slot.id: number for number, slot in enumerate(server.slots)}
        self._requests: dict[str, Request] = {}
        self._held: dict[Owner, list[Fraction]] = {}
        self._shapes: dict[tuple[object, ...], Shape] = {}
        self._starts: list[Start] = []
        self._counts: dict[Shape, int] = {}
        self._unkept_ends: dict[tuple[Shape, int], float] = {}
        self.waiters: list[Waiter] = []
        self._kinds: dict[tuple[object, ...], int] = {}
        self._kind_slots: list[Slot] = []
        kinds = [self._kind(slot) for slot in self._slots]
        floor = Floor(kinds, self._unusable(), [slot.size for slot in self._kind_slots])
        floor.now = self._at
        self._seats = Seats(floor)
        line = Line(age=rules.age.total_seconds(), longest=rules.longest.total_seconds())
        meter = Meter(rules.half_life.total_seconds(), rules.fair, start=self._at)
        guests = frozenset(uid for one in server.bookings for uid in one.uids)
        self.passing = Passing(
            floor, line, meter, rules.order, rules.guard, choose=self._choose, begin=self._begin, guests=guests
        )  # fmt: skip
        self._people = self._persons()
        for taken in server.taken:
            self._take(taken)
        self._promise()
        self._line_up(waiting)
        if kept is not None and rules.guards:
            self.passing.kept = next((one for one in self.waiters if one.key == kept and one.shape.collects), None)

    def plan(self) -> Plan:
        """Run the pass and say what came of it."""
        self.passing.run(self._at)
        left = self.passing.ranking(self._at)
        self.passing.name_head(left, self._at)
        first = next((one for one in left if self.passing.affordable(one)), None)
        return Plan(
            starts=tuple(self._starts),
            head=self._head(),
            order=tuple(one.key for one in left),
            reasons=self._reasons(left, first),
        )

    def may_leave_something(self) -> bool:
        """Whether another pass could start somebody: what is kept for the head or for bookings is free now."""
        passing = self.passing
        return bool(passing.head or self._server.bookings) and passing.floor.any_fits(passing.line.shapes)

    def after(self, starts: Iterable[Start]) -> tuple[Server, Mapping[Owner, Member]]:
        """The server and its people when these have what they were given."""
        starts = tuple(starts)
        given = tuple(starting(one, self._requests[one.request], self.now) for one in starts)
        gathered = {
            one.owner: replace(self._members[one.owner], gathered_at=self.now)
            for one, start in zip(given, starts, strict=True)
            if self._rules.collects(self._requests[start.request], self.now)
        }
        server = replace(self._server, taken=(*self._server.taken, *given))
        return server, {**self._members, **gathered}

    # building ---------------------------------------------------------------------------------------------
    def _kind(self, slot: Slot) -> int:
        """Slots that no request can tell apart are of one kind."""
        key = (slot.profile, slot.memory_bytes, slot.gpueq.numerator, slot.gpueq.denominator)
        kind = self._kinds.setdefault(key, len(self._kinds))
        if kind == len(self._kind_slots):
            self._kind_slots.append(slot)
        return kind

    def _unusable(self) -> frozenset[int]:
        """Ill slots, and whole GPUs that are being divided: the driver may show both for a while."""
        ill = self._server.quarantined
        divided = {slot.gpu for slot in self._slots if not slot.whole}
        return frozenset(
            number
            for number, slot in enumerate(self._slots)
            if not slot.healthy(ill) or (slot.whole and slot.gpu in divided)
        )

    def _persons(self) -> dict[Owner, Person]:
        owned = parts({owner: member.share for owner, member in self._members.items()})
        people = {}
        for owner, member in self._members.items():
            person = Person(
                uid=owner.uid,
                quota=inf if member.quota is None else float(member.quota),
                part=owned[owner],
                gathered=-inf if member.gathered_at is None else member.gathered_at.timestamp(),
            )
            if member.used is not None:
                used = member.used.by(self.now, self._rules.half_life)
                self.passing.meter.credit(person, used.seconds, self._at)
            people[owner] = person
        return people

    def _take(self, taken: Taken) -> None:
        numbers = tuple(self._number[slot] for slot in taken.slots if slot in self._number)
        self.passing.floor.take(Run(numbers, WHOLE, inf if taken.until is None else taken.until.timestamp()))
        if not taken.booking:
            self._held.setdefault(taken.owner, []).append(taken.gpueq)
        person = self._people.get(taken.owner)
        if person is not None:
            amount = float(taken.gpueq)
            person.held += 0.0 if taken.booking else amount
            self.passing.meter.begin(person, amount, min(taken.since.timestamp(), self._at))

    def _promise(self) -> None:
        """What is booked, by the slots it will have."""
        if not self._server.bookings:
            return
        ends = {slot: taken.until for taken in self._server.taken for slot in taken.slots}
        free_from = {slot: until or datetime.max.replace(tzinfo=UTC) for slot, until in ends.items()}
        bookings = map(self._claimed, self._server.bookings)
        kept = [one for one in bookings if one.binds(self.now, self._rules.unclaimed)]
        healthy = [slot for number, slot in enumerate(self._slots) if number not in self.passing.floor.ill]
        given = seated(kept, healthy, free_from).slots
        for one in kept:
            numbers = [self._number[slot] for slot in given[one.id] if slot not in one.claimed]
            for number in numbers:
                span = Span(one.begins_at.timestamp(), one.ends_at.timestamp(), frozenset(map(int, one.uids)))
                self.passing.floor.promise(number, span)
            if one.begins_at <= self.now:
                self._seats.begin(one, numbers)

    def _claimed(self, booking: Booking) -> Booking:
        """The booking with those of its slots that are in use by those it is for."""
        used = [slot for taken in self._server.taken if taken.booking == booking.id for slot in taken.slots]
        return replace(booking, claimed=booking.claimed | frozenset(used))

    def _line_up(self, waiting: Iterable[Request]) -> None:
        """Everybody takes her place, in the order they came. What people have in common is looked up once."""
        arrived = sorted((one.submitted_at.timestamp(), one.id, one) for one in waiting)
        self._requests = {request.id: request for _, _, request in arrived}
        known: dict[tuple[int, int], tuple[Person, str, float, int]] = {
            owner: (self._people[owner], member.mig, member.runs, LAST * member.yields)
            for owner, member in self._members.items()
        }
        overdue = self._at - self._rules.patience.total_seconds() if self._rules.guards else -inf
        for number, (since, _, request) in enumerate(arrived):
            person, mig, runs, behind = known[request.uid, request.epoch]
            planned = inf if request.planned is None else request.planned.total_seconds()
            shape = self._shape(request.ask, mig, since <= overdue and request.ask.count == 1)
            waiter = Waiter(
                request.id, person, shape, planned, since, number, request.priority - behind, planned * runs
            )  # fmt: skip
            self.waiters.append(waiter)
        self.passing.line.fill(self.waiters)

    def _shape(self, ask: GpuAsk, mig: str, overdue: bool = False) -> Shape:
        key = ask.count, ask.profile, ask.memory_bytes, mig, overdue
        known = self._shapes.get(key)
        if known is None:
            able = [
                kind for kind, slot in enumerate(self._kind_slots)
                if fits(slot, ask) and (mig == "allowed" or slot.whole == (mig == "never"))
            ]  # fmt: skip
            kinds = self.passing.floor.kinds
            sizes = [slot.size for slot, kind in zip(self._slots, kinds, strict=True) if kind in able]
            known = Shape(ask.count, kinds=tuple(able), cost=sum(nsmallest(ask.count, sizes)), overdue=overdue)
            self._shapes[key] = known
        return known

    # acting -----------------------------------------------------------------------------------------------
    def _choose(self, waiter: Waiter, able: list[int]) -> tuple[int, ...]:
        """Place a request on some of the open slots; booked ones first, if they are booked for her."""
        request = self._requests[waiter.key]
        owner = Owner(request.uid, request.epoch)
        booked = self._seats.of(request.uid, request.ask.count, able)
        promised = Fraction(self.passing.promised(waiter.person, waiter.key)).limit_denominator(_PARTS)
        for numbers in filter(None, (booked, able)):
            inventory = Inventory(
                slots=tuple(self._slots[number] for number in numbers),
                last_used=self._server.last_used,
                mig=self._members[owner].mig,
            )
            quota = self._members[owner].quota
            budget = None if quota is None else quota - promised - sum(self._held.get(owner, ()), Fraction(0))
            placed = place(request.ask, inventory, budget)
            if isinstance(placed, Placed):
                self._held.setdefault(owner, []).append(placed.gpueq)
                chosen = tuple(self._number[slot.id] for slot in placed.slots)
                booking = self._seats.sit(request.uid, chosen)
                self._starts.append(Start(request=request.id, placed=placed, booking=booking))
                return chosen
        return ()

    def _begin(self, waiter: Waiter, run: Run) -> None:
        waiter.person.held += sum(float(self._slots[number].gpueq) for number in run.slots)

    # asking -----------------------------------------------------------------------------------------------
    def request(self, one: str) -> Request:
        """A request of this pass."""
        return self._requests[one]

    def able(self, waiter: Waiter) -> list[int]:
        """The healthy slots of the kinds she asks for."""
        floor = self.passing.floor
        return [n for n, kind in enumerate(floor.kinds) if kind in waiter.shape.kinds and n not in floor.ill]

    def free_in(self, numbers: Iterable[int]) -> list[float]:
        """In how many seconds each slot is back at the latest; those nobody knows the end of are left out."""
        ends = (max((run.until for run in self.passing.floor.runs[number]), default=0.0) for number in numbers)
        return [max(0.0, end - self._at) for end in ends if end < inf]

    def affordable_in(self, waiter: Waiter) -> float:
        """In how many seconds enough of what she holds will have ended; inf when nobody knows."""
        request = self._requests[waiter.key]
        mine = [one for one in self._server.taken if one.owner == Owner(request.uid, request.epoch)]
        held = waiter.person.held
        for one in sorted(mine, key=lambda one: inf if one.until is None else one.until.timestamp()):
            held -= float(one.gpueq)
            if held + waiter.shape.cost <= waiter.person.quota + 1e-9:
                return inf if one.until is None else max(0.0, one.until.timestamp() - self._at)
        return inf

    def longest(self, request: Request) -> timedelta | None:
        """For how long at most such a request could start now; None if not at all."""
        person = self._people[Owner(request.uid, request.epoch)]
        shape = self._shape(request.ask, self._members[Owner(request.uid, request.epoch)].mig)
        end = self.passing.end(shape, person)
        held = person.held + self.passing.promised(person, request.id)
        if not shape.kinds or held + shape.cost > person.quota + 1e-9 or end <= self._at:
            return None
        return timedelta(seconds=min(end - self._at, _YEARS))

    def would_start(self, request: Request) -> bool:
        """Whether such a request would start now, with all promises kept."""
        longest = self.longest(request)
        return longest is not None and (request.planned or timedelta.max) <= longest

    # telling ----------------------------------------------------------------------------------------------
    def _head(self) -> Head | None:
        head, found = self.passing.head, self.passing.head_time
        if head is None:
            return None
        slots = tuple(self._slots[number].id for number in found.slots) if found else ()
        at = datetime.fromtimestamp(found.at, UTC) if found else None
        return Head(request=head.key, at=at, slots=slots)

    def _reasons(self, left: list[Waiter], first: Waiter | None) -> dict[RequestId, Why]:
        """Why each of them waits. That what she needs is full is the same for all who need the same."""
        passing = self.passing
        full = {
            shape: self._healthy(shape) >= shape.slots and not passing.floor.fits(shape)
            for shape in passing.line.shapes
        }
        front = (first, passing.head)
        affordable = passing.affordable
        return {
            one.key: Why.FAIR_SHARE
            if full[one.shape] and one not in front and affordable(one)
            else self._why(one, front)
            for one in left
        }

    def _why(self, waiter: Waiter, front: tuple[Waiter | None, Waiter | None]) -> Why:
        passing, shape = self.passing, waiter.shape
        if not passing.affordable(waiter):
            return Why.QUOTA
        if self._healthy(shape) < shape.slots:
            return Why.QUARANTINE
        if not passing.floor.fits(shape):
            return Why.FULL if waiter in front else Why.FAIR_SHARE
        until = self._at + waiter.planned
        if self._rules.order is Order.FIFO and waiter is not front[0]:
            return Why.FAIR_SHARE
        if until <= passing.end(shape, waiter.person):
            return Why.QUOTA  # what is open costs more than she may have
        return Why.HEAD if until <= self._unkept(shape, waiter.person.uid) else Why.BOOKING

    def _healthy(self, shape: Shape) -> int:
        """How many slots of these kinds there are that are not ill."""
        if shape not in self._counts:
            floor = self.passing.floor
            self._counts[shape] = sum(
                kind in shape.kinds and number not in floor.ill for number, kind in enumerate(floor.kinds)
            )
        return self._counts[shape]

    def _unkept(self, shape: Shape, uid: int) -> float:
        """Until when such a request could run if nothing were kept for the head."""
        key = shape, uid if uid in self.passing.guests else NOBODY
        if key not in self._unkept_ends:
            self._unkept_ends[key] = self.passing.floor.longest(shape, key[1], head=False)
        return self._unkept_ends[key]
