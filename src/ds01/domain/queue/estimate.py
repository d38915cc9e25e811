"""When somebody's turn may come, as a range, and how long runs are likely to be.

Two things make a single number wrong: runs end before their planned time, and others come who go first. The first is
learned from what a person asked and used before. The second nobody can know; but how wrong such numbers were lately is
known, and the range is made of that: it is as wide as it must be for nine of ten to fall into it, and it is narrow
when the queue is calm. Estimates are shown. No promise rests on them.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heapreplace, nsmallest
from math import inf
from statistics import median

from ds01.domain.queue.floor import WHOLE

_KNOWN_AFTER = 3
_RUNS = 25
_ERRORS = 400
_CALM = 60.0
"""Seconds added to both sides of a ratio: a minute more or less is no error."""
_FIRST = (0.2, 5.0)
"""The range, in ratios, before anything is known."""
_LOW, _HIGH = 0.03, 0.965


@dataclass(slots=True)
class Runs:
    """What part of the time they asked for people used: the median of each one's last runs."""

    last: dict[object, deque[float]] = field(default_factory=dict)

    def saw(self, who: object, asked: float, used: float) -> None:
        """Somebody's run ended."""
        if 0 < asked < inf:
            self.last.setdefault(who, deque(maxlen=_RUNS)).append(min(1.0, used / asked))

    def likely(self, who: object, asked: float) -> float:
        """How long a run of hers is likely to be."""
        return asked * self.part(who)

    def part(self, who: object) -> float:
        """What part of what she asks for she is likely to use; all of it while too little is known."""
        seen = self.last.get(who, ())
        return median(seen) if len(seen) >= _KNOWN_AFTER else 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """What stands between now and a turn: ``slots`` with ``amount`` of each, likely for so many seconds."""

    slots: int
    amount: int
    seconds: float


def reckoned(free_in: Iterable[float], ahead: Iterable[Load], own: Load) -> float:
    """Seconds until ``own`` could start if those ahead of it took the slots one after the other.

    ``free_in`` says in how many seconds each slot is likely to be back. A part of a slot is reckoned as a part of its
    time. Those who slip in and those who have yet to come are not in it.
    """
    heap = list(free_in)
    heapify(heap)
    if not heap or own.slots > len(heap):
        return inf
    for one in ahead:
        if one.slots <= 1:
            heapreplace(heap, heap[0] + one.seconds * one.amount / WHOLE)
        elif one.slots <= len(heap):
            taken = nsmallest(one.slots, heap)
            rest = sorted(heap)[one.slots :]
            heap = [*rest, *([taken[-1] + one.seconds] * one.slots)]
            heapify(heap)
    return nsmallest(own.slots, heap)[-1]


@dataclass(slots=True)
class Ranges:
    """How wrong estimates were lately, and so how wide a range must be."""

    _errors: deque[float] = field(default_factory=lambda: deque(maxlen=_ERRORS))
    _sorted: list[float] = field(default_factory=list)

    def saw(self, reckoned: float, waited: float) -> None:
        """A turn came after ``waited`` that had been reckoned so."""
        if reckoned == inf:
            return
        error = (waited + _CALM) / (reckoned + _CALM)
        if len(self._errors) == self._errors.maxlen:
            self._sorted.remove(self._errors[0])
        self._errors.append(error)
        insort(self._sorted, error)

    def around(self, reckoned: float) -> tuple[float, float]:
        """From and to how many seconds from now it is likely to be; the end is inf when nobody knows."""
        low, high = self._quantiles()
        return max(0.0, (reckoned + _CALM) * low - _CALM), (reckoned + _CALM) * high - _CALM

    def _quantiles(self) -> tuple[float, float]:
        seen: Sequence[float] = self._sorted
        if len(seen) < 2 * _KNOWN_AFTER:
            return _FIRST
        last = len(seen) - 1
        low, high = seen[round(last * _LOW)], seen[round(last * _HIGH)]
        if len(seen) < _RUNS:
            return min(low, _FIRST[0]), max(high, _FIRST[1])
        return low, high
