"""The bookings of a replay on its floor: what is kept for whom, who sits on it, and what went back unclaimed.

As in ds01d: nobody is started who would not be done when a date begins; then its GPUs are for its people, past the
queue and beside their quota; what nobody came for goes back after a while, and so does what somebody left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from math import inf

from ds01.domain.queue.floor import Floor, Span
from ds01.simulate.booked import Booked, places


@dataclass(slots=True, eq=False, kw_only=True)
class Date:
    """One date of a booking. ``kept`` are those of its ``slots`` that are still its own; ``back`` is the GPU time, in
    seconds, that went back before its end.
    """

    booked: Booked
    slots: tuple[int, ...]
    span: Span
    keep: float
    kept: set[int]
    in_use: Counter[int] = field(default_factory=Counter)
    left: dict[int, float] = field(default_factory=dict)
    back: float = 0.0

    def free_at(self, slot: int) -> float:
        """When a slot that nobody uses goes back."""
        return self.left.get(slot, self.span.begin) + self.keep


class Keeping:
    """All dates, and the moments at which something about them changes."""

    def __init__(
        self, booked: Sequence[Booked], uids: Mapping[str, int], floor: Floor, *, unclaimed: float
    ) -> None:  # fmt: skip
        self._floor = floor
        self.dates: list[Date] = []
        for one, slots in zip(booked, places(booked, len(floor.kinds)), strict=True):
            span = Span(one.begin, one.end, frozenset(uids[user] for user in one.users if user in uids))
            keep = unclaimed if one.keep is None else one.keep
            self.dates.append(Date(booked=one, slots=slots, span=span, keep=keep, kept=set(slots)))
            for slot in slots:
                floor.promise(slot, span)
        self._open = list(self.dates)
        self._moments = [at for one in self.dates for at in (one.span.begin, one.span.begin + one.keep, one.span.end)]
        heapify(self._moments)

    @property
    def guests(self) -> frozenset[int]:
        """Everybody for whom something is kept."""
        return frozenset(uid for one in self.dates for uid in one.span.uids)

    @property
    def next(self) -> float:
        """The next moment at which something changes."""
        return self._moments[0] if self._moments else inf

    def pass_by(self, now: float) -> bool:
        """What begins, ends or goes back by now; whether anything did."""
        if self.next > now:
            return False
        while self.next <= now:
            heappop(self._moments)
        self._open = [one for one in self._open if one.span.end > now]
        for one in self._open:
            for slot in [slot for slot in one.kept if not one.in_use[slot] and one.free_at(slot) <= now]:
                one.kept.remove(slot)
                one.back += one.span.end - now
                self._floor.dismiss(slot, one.span)
        return True

    def hers(self, uid: int, slots: Sequence[int], count: int, now: float) -> list[int]:
        """Those of the slots that are kept for her now, if they are as many as she needs."""
        for one in self._begun(now):
            found = [slot for slot in slots if slot in one.kept] if uid in one.span.uids else []
            if len(found) >= count:
                return found
        return []

    def sit(self, uid: int, slots: Sequence[int], now: float) -> Date | None:
        """She gets these; the date they are all of, if there is one."""
        for one in self._begun(now):
            if uid in one.span.uids and one.kept.issuperset(slots):
                one.in_use.update(slots)
                return one
        return None

    def leave(self, date: Date, slots: Sequence[int], now: float) -> None:
        """What she had of a date is free again, and kept for a while."""
        date.in_use.subtract(slots)
        date.left.update(dict.fromkeys(slots, now))
        if now + date.keep < date.span.end:
            heappush(self._moments, now + date.keep)

    def _begun(self, now: float) -> Iterable[Date]:
        return (one for one in self._open if one.span.begin <= now < one.span.end)
