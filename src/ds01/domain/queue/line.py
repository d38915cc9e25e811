"""The line: who waits, in lanes whose order never changes, so that a pass looks at lanes and not at requests.

Everybody in a *lane* has the same owner, shape, head start and order of magnitude of planned time. Priorities change
all the time, but within a lane the one who waits longest is first whenever one looks. Thousands of requests of a few
people are a few lanes.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf, log

from ds01.domain.queue.floor import Shape
from ds01.domain.queue.request import RequestId
from ds01.domain.queue.usage import factor

_LARGE = 300.0
"""Half-lives."""
_ENDLESS = 64
"""The size of a planned time that has no end."""


@dataclass(slots=True, eq=False)
class Person:
    """Somebody in the line: what she holds and may hold in gpueq, and what she used.

    ``part`` is her part of the server. ``gathered`` is when a request of hers that collects slots last got them.
    """

    uid: int = 0
    quota: float = inf
    held: float = 0.0
    part: float = 1.0
    gathered: float = -inf
    before: float = 0.0
    rate: float = 0.0
    fair: float = 1.0
    fair_at: float = -inf
    """The fair-share factor and the moment it is of: all her lanes share it."""


@dataclass(slots=True, eq=False)
class Waiter:
    """One who waits: in the order of ``since`` and, of the same moment, of ``number``."""

    key: RequestId
    person: Person
    shape: Shape
    planned: float
    since: float
    number: int
    priority: int = 0
    likely: float = 0.0
    """How long it is likely to run: for estimates, never for promises."""
    gone: bool = False

    def __lt__(self, other: Waiter) -> bool:
        return (self.since, self.number) < (other.since, other.number)


LaneKey = tuple[int, Shape, int, int]
"""What is the same for all in a lane: person, shape, size (planned seconds are below 2 to this power), priority."""


@dataclass(slots=True, eq=False)
class Lane:
    """Those in it wait in the order of their arrival. ``pace`` is what a second of waiting gains."""

    person: Person
    shape: Shape
    priority: int
    shortest: float
    pace: float
    waiting: deque[Waiter] = field(default_factory=deque)

    def front(self) -> Waiter | None:
        """Who is first, after those who left."""
        waiting = self.waiting
        while waiting and waiting[0].gone:
            waiting.popleft()
        return waiting[0] if waiting else None


@dataclass(slots=True, eq=False)
class Meter:
    """What everybody used, decayed, and the part of a priority it makes: at most ``weight``.

    It is always up to date without being touched. Instead of letting the past fade, the present grows: a second at
    time t counts 2^(t / half-life). What somebody used is then a sum that only changes when she starts or ends
    something, and only ratios matter.
    """

    half_life: float
    weight: float = 1.0
    start: float = 0.0
    before: float = 0.0
    rate: float = 0.0
    _grown_at: float = -inf
    _grown: float = 0.0

    def grown(self, at: float) -> float:
        """The integral of what seconds count, up to a moment."""
        if at != self._grown_at:
            self._grown = float(self.half_life / log(2) * 2.0 ** ((at - self.start) / self.half_life))
            self._grown_at = at
        return self._grown

    def fair(self, person: Person, at: float) -> float:
        """What her fair share adds to somebody's priority; see ``usage.factor``."""
        grown = self.grown(at)
        return self.weight * factor(person.before + person.rate * grown, self.before + self.rate * grown, person.part)

    def begin(self, person: Person, amount: float, at: float) -> None:
        """Somebody has ``amount`` gpueq more from now on; negative: less."""
        past = amount * self.grown(at)
        person.rate += amount
        person.before -= past
        self.rate += amount
        self.before -= past

    def credit(self, person: Person, used: float, at: float) -> None:
        """Somebody had used so many decayed gpueq-seconds at a moment."""
        past = used * 2.0 ** ((at - self.start) / self.half_life)
        person.before += past
        self.before += past

    def rebased(self, people: Iterable[Person], at: float) -> None:
        """Count from a later moment when numbers have become so large that they would not fit any more."""
        if (at - self.start) / self.half_life < _LARGE:
            return
        smaller = 2.0 ** ((self.start - at) / self.half_life)
        for one in people:
            one.before *= smaller
        self.before *= smaller
        self.start, self._grown_at = at, -inf


@dataclass(slots=True, eq=False)
class Line:
    """Everybody who waits. ``age`` and ``longest`` in seconds: see ``Rules``."""

    age: float = 60.0
    longest: float = inf
    lanes: dict[LaneKey, Lane] = field(default_factory=dict)
    shapes: dict[Shape, int] = field(default_factory=dict)
    """How many wait for each shape."""
    collecting: dict[int, list[Waiter]] = field(default_factory=dict)
    """By person, those who need several slots at once, in order."""
    count: int = 0

    def fill(self, waiters: Sequence[Waiter]) -> None:
        """Thousands come in their order: each is the last of her lane, so that nothing need be compared."""
        lanes, collecting = self.lanes, self.collecting
        for waiter in waiters:
            key = _key(waiter)
            lane = lanes.get(key)
            if lane is None:
                lane = lanes[key] = self._lane(waiter, key[2])
            lane.waiting.append(waiter)
            if waiter.shape.collects:
                collecting.setdefault(id(waiter.person), []).append(waiter)
        self.shapes.update(Counter([waiter.shape for waiter in waiters]))
        self.count = len(waiters)

    def add(self, waiter: Waiter) -> None:
        """Somebody comes, or comes back with her old place."""
        key = _key(waiter)
        lane = self.lanes.get(key)
        if lane is None:
            lane = self.lanes[key] = self._lane(waiter, key[2])
        if lane.waiting and waiter < lane.waiting[-1]:
            lane.waiting = deque(sorted([*lane.waiting, waiter]))
        else:
            lane.waiting.append(waiter)
        self.shapes[waiter.shape] = self.shapes.get(waiter.shape, 0) + 1
        if waiter.shape.collects:
            insort(self.collecting.setdefault(id(waiter.person), []), waiter)
        self.count += 1

    def remove(self, waiter: Waiter) -> None:
        """Somebody leaves: it was her turn, or she gave up."""
        waiter.gone = True
        left = self.shapes[waiter.shape] - 1
        if left:
            self.shapes[waiter.shape] = left
        else:
            del self.shapes[waiter.shape]
        if waiter.shape.collects:
            mine = self.collecting[id(waiter.person)]
            mine.remove(waiter)
            if not mine:
                del self.collecting[id(waiter.person)]
        self.count -= 1

    def lane(self, waiter: Waiter) -> Lane:
        """The lane somebody waits in."""
        return self.lanes[_key(waiter)]

    def open_lanes(self) -> Iterable[Lane]:
        """The lanes somebody waits in, with the first in front; those that ran empty go."""
        empty = [
            key
            for key, lane in self.lanes.items()
            if not lane.waiting or (lane.waiting[0].gone and lane.front() is None)
        ]
        for key in empty:
            del self.lanes[key]
        return self.lanes.values()

    def _lane(self, waiter: Waiter, size: int) -> Lane:
        shortest = 2.0 ** (size - 1) if size else 0.0
        pace = 1.0 / (self.age + min(2.0**size, self.longest))
        return Lane(waiter.person, waiter.shape, waiter.priority, shortest, pace)


def _key(waiter: Waiter) -> LaneKey:
    size = int(waiter.planned).bit_length() if waiter.planned < inf else _ENDLESS
    return id(waiter.person), waiter.shape, size, waiter.priority
