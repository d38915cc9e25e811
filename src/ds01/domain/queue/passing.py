"""One pass over the line: who starts now, who is next, and who may slip in without delaying her.

The order is that of priorities: fair share, head start, and waiting measured in multiples of the planned time, so that
a short request is not made to wait as long as a long one, and a long one is not passed for ever. The first who cannot
start gets a time and slots; whoever comes after her starts only if done by then, or elsewhere. That time is worked
out from planned times alone, and so holds.

Who needs several slots at once can starve while every single one is given away, and keeping slots idle for her is
what sharing costs most. So she gets her time when she has waited ``guard`` times as long as it will keep each slot
idle, and then for itself. Who waits too long for a single one, passed by endless short requests, gets her turn among
them. What she waits is then bounded by planned times, however many small requests come. Those who
collect are taken in order of their turn: one of each person, counted from when her last one was served.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import islice
from math import inf

from ds01.domain.queue.floor import NOBODY, Earliest, Floor, Run, Shape
from ds01.domain.queue.line import Lane, Line, Meter, Person, Waiter
from ds01.domain.queue.plan import Order
from ds01.domain.queue.request import RequestId

Choose = Callable[[Waiter, list[int]], tuple[int, ...]]
"""Which of the open slots a request gets; empty when it cannot pay for any choice of them."""

Begin = Callable[[Waiter, Run], None]
"""Called for everybody who starts."""

_ROUNDING = 1e-9
"""Quotas are compared as floats here; who really places (``choose``) compares them exactly."""

_ANYBODY = Person(uid=NOBODY)

_Front = tuple[float, float, int, Waiter, Lane, int]
"""Minus the priority, then the arrival; the last is the place in the lane."""


@dataclass(slots=True, eq=False)
class Passing:
    """The working state of the queue. The daemon builds one for a pass, the simulator keeps one for a whole trace.

    ``guests`` are the uids for whom slots are booked.
    """

    floor: Floor
    line: Line
    meter: Meter
    order: Order
    guard: float | None
    choose: Choose
    begin: Begin
    guests: frozenset[int] = frozenset()
    head: Waiter | None = None
    head_time: Earliest | None = None
    kept: Waiter | None = None
    """The head as long as she collects: once given a time she keeps it."""
    _ends: dict[object, float] = field(default_factory=dict)
    """Until when a shape may run (or a guest's, by her uid too), as long as nobody starts."""

    def run(self, now: float) -> None:
        """Start whoever may start now."""
        self.head = self.head_time = None
        self.floor.forget()
        self._ends.clear()
        if not self._any():
            return
        if self.order is Order.FAIR_SHARE and self.guard is not None:
            self._first_collector(now)
        fronts = self._fronts(now)
        heapify(fronts)
        while fronts:
            *_, waiter, lane, place = heappop(fronts)
            started = self._start(waiter, now)
            if not started and self._holds_up(waiter):
                return
            changed = started or self._offered(waiter, now)
            if (after := self._after(lane, place, now)) is not None:
                heappush(fronts, after)
            if changed and (self.head is not None or not self._any()):
                may = self._those_who_may(now)
                fronts = [front for front in fronts if may(front[4])]
                heapify(fronts)

    def name_head(self, waiting: Iterable[Waiter], now: float) -> None:
        """Find the head also when nothing was free; ``waiting`` in order. It starts nobody."""
        if self.head is None and self.order is Order.FAIR_SHARE and self.guard is not None:
            self._first_collector(now)
        for waiter in waiting:
            if self.head is not None or self._offered(waiter, now) or self._holds_up(waiter):
                return

    def ranking(self, now: float) -> list[Waiter]:
        """Everybody who waits, in order."""
        ranked = [
            (-(base + (now - one.since) * pace), one.since, one.number, one)
            for lane in self.line.open_lanes()
            for base, pace in (self._gains(lane, now),)
            for one in lane.waiting
            if not one.gone
        ]
        ranked.sort()
        return [one for *_, one in ranked]

    def priority(self, lane: Lane, waiter: Waiter, now: float) -> float:
        """What decides the order; higher goes first. In order of arrival it is the same for all."""
        base, pace = self._gains(lane, now)
        return base + (now - waiter.since) * pace

    def _gains(self, lane: Lane, now: float) -> tuple[float, float]:
        """What all in a lane have, and what each has for a second of waiting."""
        if self.order is not Order.FAIR_SHARE:
            return 0.0, 0.0
        person = lane.person
        if person.fair_at != now:
            person.fair, person.fair_at = self.meter.fair(person, now), now
        return person.fair + lane.priority, lane.pace

    def _any(self) -> bool:
        return self.floor.any_fits(self.line.shapes)

    def _fronts(self, now: float) -> list[_Front]:
        """Who may be next in every lane: while there is no head all of them, since one may become it."""
        lanes = self.line.open_lanes()
        if self.head is not None or self.order is Order.FIFO_SKIP:
            lanes = list(filter(self._those_who_may(now), lanes))
        return [self._front(lane, lane.waiting[0], now, 0) for lane in lanes if self.affordable(lane.waiting[0])]

    def _front(self, lane: Lane, waiter: Waiter, now: float, place: int) -> _Front:
        return -self.priority(lane, waiter, now), waiter.since, waiter.number, waiter, lane, place

    def _may(self, lane: Lane, now: float) -> bool:
        """Whether anybody in a lane could start by herself."""
        return now + lane.shortest <= self.end(lane.shape, lane.person)

    def _those_who_may(self, now: float) -> Callable[[Lane], bool]:
        """``_may`` for many lanes. Without bookings all of a shape are alike, and there are few shapes."""
        if self.guests:
            return lambda lane: self._may(lane, now)
        left = {shape: self.end(shape, _ANYBODY) - now for shape in self.line.shapes}
        return lambda lane: lane.shape in left and lane.shortest <= left[lane.shape]

    def _start(self, waiter: Waiter, now: float) -> bool:
        until = now + waiter.planned
        person = waiter.person
        if until > self.end(waiter.shape, person) or not self.affordable(waiter):
            return False
        chosen = self.choose(waiter, self.floor.open_slots(waiter.shape, until, person.uid))
        if not chosen:
            return False
        run = Run(chosen, waiter.shape.amount, until)
        self.floor.take(run)
        self._ends.clear()
        self.line.remove(waiter)
        if waiter.shape.collects:
            person.gathered = now
        if waiter is self.kept:
            self.kept = None
        if waiter is self.head:
            self.head = self.head_time = None
            self.floor.forget()
        self.begin(waiter, run)
        return True

    def end(self, shape: Shape, person: Person) -> float:
        """Until when a request like this may run; the same for all like it until somebody starts."""
        guest = person.uid in self.guests
        key = (shape, person.uid) if guest else shape
        end = self._ends.get(key)
        if end is None:
            uid = person.uid if guest else NOBODY
            end = self.floor.longest(shape, uid) if self.floor.fits(shape) else -inf
            self._ends[key] = end
        return end

    def _first_collector(self, now: float) -> None:
        """Who was given a time for several slots keeps it; else the one whose turn it is may get one by now."""
        kept = self.kept
        held = kept is not None and not kept.gone and self.affordable(kept)
        if kept is not None and held and (self._start(kept, now) or self._offer(kept, now)):
            return
        self.kept = None  # also where her slots are ill or gone: what she cannot be given costs her nothing
        able = [mine[0] for mine in self.line.collecting.values() if self.affordable(mine[0])]
        able.sort(key=lambda one: (self._turn(one), one.number))
        for one in able:
            if now + one.planned > self.end(one.shape, one.person) and self._offer(one, now):
                return

    def _offered(self, waiter: Waiter, now: float) -> bool:
        """Whether one who cannot start became the head."""
        if self.head is not None or self.order is Order.FIFO_SKIP or not self.affordable(waiter):
            return False
        if now + waiter.planned <= self.end(waiter.shape, waiter.person):
            return False  # what is open costs more than she may have: no reason to keep it from others
        if self.order is Order.FAIR_SHARE and waiter.shape.slots > 1 and self.guard != 0.0:
            return False
        return self._offer(waiter, now)

    def _holds_up(self, waiter: Waiter) -> bool:
        """Whether nobody passes one who cannot start: who is over her own quota is not in the order."""
        return self.order is Order.FIFO and self.affordable(waiter)

    def _offer(self, waiter: Waiter, now: float) -> bool:
        """Make her the head if she is entitled to a time."""
        if not self._entitled(waiter, 0.0, now):
            return False
        found = self._earliest(waiter, now)
        if found is None or not self._entitled(waiter, found.idle / waiter.shape.slots, now):
            return False
        self.head, self.head_time = waiter, found
        if waiter.shape.collects:
            self.kept = waiter
        self.floor.keep(waiter.shape, found)
        self._ends.clear()
        return True

    def _earliest(self, waiter: Waiter, now: float) -> Earliest | None:
        """When and where she can have what she asks for, if nothing of hers is over by then: a hold may outlive it."""
        floor, shape, person = self.floor, waiter.shape, waiter.person
        found = floor.earliest(shape, waiter.planned, now, person.uid)
        left = person.quota - person.held + _ROUNDING
        if found is None or floor.cost(shape, found.slots) <= left:
            return found
        return floor.earliest_within(shape, waiter.planned, now, person.uid, left)

    def _entitled(self, waiter: Waiter, idle: float, now: float) -> bool:
        """Whether the wait was worth what a time would cost: every slot idle for so long, and then hers."""
        if self.order is not Order.FAIR_SHARE or waiter.shape.slots == 1 or waiter is self.kept:
            return True
        return self.guard is not None and now - self._turn(waiter) >= self.guard * (idle + waiter.planned)

    def _after(self, lane: Lane, place: int, now: float) -> _Front | None:
        """Who of a lane is looked at after the one at ``place``.

        Who comes after one that cannot start is like her, only shorter: so only those short enough are looked at.
        """
        if lane.waiting[place].gone and place == 0:
            front = lane.front()
            return None if front is None else self._front(lane, front, now, 0)
        if not self._may(lane, now):
            return None
        end = self.end(lane.shape, lane.person)
        for index, one in enumerate(islice(lane.waiting, place + 1, None), place + 1):
            if now + one.planned <= end and not one.gone:
                return self._front(lane, one, now, index)
        return None

    @staticmethod
    def _turn(waiter: Waiter) -> float:
        return max(waiter.since, waiter.person.gathered)

    def affordable(self, waiter: Waiter) -> bool:
        """Whether she may hold this much more, beside what she was given a time for."""
        person = waiter.person
        return person.held + self.promised(person, waiter.key) + waiter.shape.cost <= person.quota + _ROUNDING

    def promised(self, person: Person, but: RequestId) -> float:
        """What of her quota is kept for the head, if that is hers: the gpueq it will hold. For the head itself none."""
        head, found = self.head, self.head_time
        if head is None or found is None or head.person is not person or head.key == but:
            return 0.0
        return self.floor.cost(head.shape, found.slots)
