"""The slots as a pass sees them: what is free, what comes back when, and what is promised.

Slots are numbered, times are seconds on one axis, and what is taken is counted in whole numbers (``WHOLE`` is a whole
slot), so that a pass over thousands of requests costs milliseconds and nothing is lost to rounding. Slots of one
*kind* are alike. Of the server itself only whole slots are leased; parts of one are for the simulator, whose traces
have GPUs that several share.

Two promises keep a slot from who would not be done in time: to the head of the queue, and to bookings.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from math import inf
from typing import NamedTuple

WHOLE = 1_000_000
"""A whole slot, in parts: six decimals."""

NOBODY = -1
"""The uid of who has no booking."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What a request needs: ``slots`` slots with ``amount`` free each, of one of these ``kinds``; and its ``cost``.

    One object stands for all requests of a shape, so that it can be looked up without being compared. ``collects``:
    it must gather slots, and so can wait while every single one of them is given to others; or it is for one and has
    waited too long (``overdue``), which comes to the same.
    """

    slots: int = 1
    amount: int = WHOLE
    kinds: tuple[int, ...] = (0,)
    cost: float = 1.0
    overdue: bool = False
    collects: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "collects", self.slots > 1 or self.overdue)


@dataclass(slots=True, eq=False)
class Run:
    """Something that has ``amount`` of each of these slots, until then at the latest."""

    slots: tuple[int, ...]
    amount: int
    until: float


class Span(NamedTuple):
    """When a slot is promised to a booking, and the uids it is for."""

    begin: float
    end: float
    uids: frozenset[int] = frozenset()


class Earliest(NamedTuple):
    """When a shape can be had at the latest, where, and how many slot-seconds would lie idle until then."""

    at: float
    slots: tuple[int, ...]
    idle: float


@dataclass(slots=True, eq=False)
class Floor:
    """``kinds`` has the kind of every slot, ``sizes`` the gpueq of every kind (none: 1); ``ill`` slots nobody gets."""

    kinds: Sequence[int]
    ill: frozenset[int] = frozenset()
    sizes: Sequence[float] = ()
    free: list[int] = field(init=False)
    whole: list[int] = field(init=False)
    """How many slots of each kind are wholly free."""
    runs: list[set[Run]] = field(init=False)
    promised: dict[int, list[Span]] = field(default_factory=dict)
    now: float = -inf
    """The time it is, which decides whether a booking has begun."""
    head_at: float = inf
    head_spare: dict[int, int] = field(default_factory=dict)
    """Of the head's slots: how much of each will be left when the head has its own."""
    _ready_slots: dict[tuple[tuple[int, ...], int], list[tuple[float, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.free = [0 if slot in self.ill else WHOLE for slot in range(len(self.kinds))]
        self.runs = [set() for _ in self.kinds]
        self.whole = [0] * (max(self.kinds, default=0) + 1)
        for slot, kind in enumerate(self.kinds):
            self.whole[kind] += slot not in self.ill

    def promise(self, slot: int, span: Span) -> None:
        """Keep a slot for a booking."""
        insort(self.promised.setdefault(slot, []), span, key=lambda one: one.begin)

    def withdraw(self, uid: int, slots: Iterable[int]) -> None:
        """Promises of these slots are not to her any more: she has had her part of them."""
        for slot in slots:
            spans = self.promised.get(slot, [])
            self.promised[slot] = [span._replace(uids=span.uids - {uid}) for span in spans]

    def dismiss(self, slot: int, span: Span) -> None:
        """A promise of a slot binds nobody any more."""
        self.promised[slot].remove(span)

    def expire(self, now: float) -> None:
        """The time is ``now``; promises whose time is over bind nobody any more."""
        self.now = now
        for slot, spans in list(self.promised.items()):
            left = [span for span in spans if span.end > now]
            if left:
                self.promised[slot] = left
            else:
                del self.promised[slot]

    def take(self, run: Run) -> None:
        """Slots are given away."""
        self._ready_slots.clear()
        for slot in run.slots:
            if self.free[slot] == WHOLE:
                self.whole[self.kinds[slot]] -= 1
            self.free[slot] -= run.amount
            self.runs[slot].add(run)
            if slot in self.head_spare and run.until > self.head_at:
                self.head_spare[slot] -= run.amount

    def give_back(self, run: Run) -> None:
        """Slots come back."""
        self._ready_slots.clear()
        for slot in run.slots:
            self.free[slot] += run.amount
            self.runs[slot].discard(run)
            if self.free[slot] == WHOLE:
                self.whole[self.kinds[slot]] += 1

    def fits(self, shape: Shape) -> bool:
        """Whether enough is free now, promises aside: quick, and never wrongly no."""
        if shape.amount == WHOLE:
            return sum([self.whole[kind] for kind in shape.kinds]) >= shape.slots
        return max(self.free, default=0) >= shape.amount

    def any_fits(self, shapes: Iterable[Shape]) -> bool:
        """Whether one of them fits."""
        largest, whole = max(self.free, default=0), self.whole
        for shape in shapes:
            if shape.amount <= largest:
                if shape.amount < WHOLE:
                    return True
                if sum([whole[kind] for kind in shape.kinds]) >= shape.slots:
                    return True
        return False

    def open_slots(self, shape: Shape, until: float, uid: int = NOBODY) -> list[int]:
        """Slots that are free now and promised to nobody but ``uid`` before ``until``."""
        amount, kinds, free = shape.amount, shape.kinds, self.free
        able = [slot for slot, kind in enumerate(self.kinds) if free[slot] >= amount and kind in kinds]
        if until > self.head_at and self.head_spare:
            spare = self.head_spare
            able = [slot for slot in able if slot not in spare or spare[slot] >= amount]
        if self.promised:
            able = [slot for slot in able if until <= self._next_promise(slot, uid)]
        return able

    def longest(self, shape: Shape, uid: int = NOBODY, *, head: bool = True) -> float:
        """Until when something of this shape may run at most if it starts now; -inf when it does not fit at all.

        Without ``head`` as if nothing were kept for the head of the queue.
        """
        amount, kinds, free, spare = shape.amount, shape.kinds, self.free, self.head_spare
        able = [slot for slot, kind in enumerate(self.kinds) if free[slot] >= amount and kind in kinds]
        ends = [self._next_promise(slot, uid) for slot in able] if self.promised else [inf] * len(able)
        for place, slot in enumerate(able if head else ()):
            if slot in spare and spare[slot] < amount:
                ends[place] = min(ends[place], self.head_at)
        ends.sort(reverse=True)
        return ends[shape.slots - 1] if len(ends) >= shape.slots else -inf

    def keep(self, shape: Shape, found: Earliest) -> None:
        """Give the head its time: from now on nothing may be started that would be in its way."""
        self.head_at = found.at
        self.head_spare = {slot: self._free_at(slot, found.at) - shape.amount for slot in found.slots}

    def forget(self) -> None:
        """There is no head any more; the next pass finds it anew."""
        self.head_at = inf
        self.head_spare.clear()

    def earliest(self, shape: Shape, planned: float, now: float, uid: int = NOBODY) -> Earliest | None:
        """The earliest time at which the shape can be had for ``planned`` seconds, if all others run to their end.

        Of the slots that are free then, those that come back last: what is free now is left for others.
        """
        ready = self._sorted(shape)
        if self.promised:
            at = self._moment(shape, planned, ((max(now, since), slot) for since, slot in ready), uid)
        else:
            at = max(now, ready[shape.slots - 1][0]) if len(ready) >= shape.slots else inf
        if at == inf:
            return None
        able = ready[: bisect_right(ready, (at, len(self.kinds)))]
        if self.promised:
            able = [(since, slot) for since, slot in able if self._gap(slot, at, planned, uid)]
        chosen = able[-shape.slots :]
        return Earliest(at, tuple(slot for _, slot in chosen), sum(at - max(now, since) for since, _ in chosen))

    def cost(self, shape: Shape, slots: Iterable[int]) -> float:
        """What so much of these slots counts against a quota."""
        sizes, part = self.sizes, shape.amount / WHOLE
        return sum(sizes[self.kinds[slot]] if sizes else 1.0 for slot in slots) * part

    def earliest_within(
        self, shape: Shape, planned: float, now: float, uid: int, left: float
    ) -> Earliest | None:  # fmt: skip
        """As ``earliest``, but on slots that cost no more than ``left``: the smallest there are at a time."""
        ready = [(max(now, since), slot) for since, slot in self._sorted(shape) if since < inf]
        moments = {since for since, _ in ready} | {span.end for _, slot in ready for span in self._spans(slot, uid)}
        for at in sorted(moments):
            able = [one for one in ready if one[0] <= at and self._gap(one[1], at, planned, uid)]
            chosen = nsmallest(shape.slots, able, key=lambda one: (self.cost(shape, one[1:]), -one[0]))
            slots = tuple(slot for _, slot in chosen)
            if len(slots) == shape.slots and self.cost(shape, slots) <= left:
                return Earliest(at, slots, sum(at - since for since, _ in chosen))
        return None

    def _sorted(self, shape: Shape) -> list[tuple[float, int]]:
        """When so much of each slot is free if nobody else comes, the earliest first; -inf is free now.

        Kept until something is taken or comes back, because those who collect ask for it in every pass.
        """
        key = shape.kinds, shape.amount
        known = self._ready_slots.get(key)
        if known is None:
            able = (n for n, kind in enumerate(self.kinds) if kind in shape.kinds and n not in self.ill)
            known = self._ready_slots[key] = sorted((self._ready(slot, shape.amount), slot) for slot in able)
        return known

    def _moment(self, shape: Shape, planned: float, ready: Iterable[tuple[float, int]], uid: int) -> float:
        """The first moment with enough slots at once, where bookings make slots come and go."""
        steps = []
        for since, slot in ready:
            begin = since
            for span in self._spans(slot, uid):
                if begin + planned <= span.begin:
                    steps += [(begin, 0, 1), (span.begin - planned, 1, -1)]
                begin = max(begin, span.end)
            steps.append((begin, 0, 1))
        able = 0
        for at, _, change in sorted(steps):
            able += change
            if able >= shape.slots:
                return at
        return inf

    def _spans(self, slot: int, uid: int) -> list[Span]:
        """Promises of a slot to others than ``uid``."""
        return [span for span in self.promised.get(slot, ()) if not self._hers(span, uid)]

    def _hers(self, span: Span, uid: int) -> bool:
        """Whether a promise is to her. Before it begins it is to nobody: who sat early would need a second place then,
        and take it from another booking.
        """
        return uid in span.uids and span.begin <= self.now

    def _gap(self, slot: int, at: float, planned: float, uid: int) -> bool:
        return all(at + planned <= span.begin or span.end <= at for span in self._spans(slot, uid))

    def _next_promise(self, slot: int, uid: int) -> float:
        spans = self._spans(slot, uid) if slot in self.promised else ()
        return spans[0].begin if spans else inf

    def _ready(self, slot: int, amount: int) -> float:
        free = self.free[slot]
        if free >= amount:
            return -inf
        if amount == WHOLE:
            return max(run.until for run in self.runs[slot])
        for run in sorted(self.runs[slot], key=lambda run: run.until):
            free += run.amount
            if free >= amount:
                return run.until
        return inf

    def _free_at(self, slot: int, at: float) -> int:
        return self.free[slot] + sum(run.amount for run in self.runs[slot] if run.until <= at)
