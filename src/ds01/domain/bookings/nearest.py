"""What could be booked instead: the nearest time, else fewer GPUs at the same time.

A booking becomes possible only where something ends, and stays so going back from where something begins, so these
moments are all there are to look at; and every five minutes in between, because people book in those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ds01.domain.bookings.allowance import rounded_up
from ds01.domain.gpu import Slot
from ds01.domain.queue.booking import Booking
from ds01.domain.queue.seating import possible

FAR = timedelta(days=7)
"""A booking further away than this is no answer to somebody who asked for a day."""

MOST_TRIES = 200

May = Callable[[Sequence[Booking]], bool]
"""Whether somebody may book these dates at all."""


@dataclass(frozen=True, kw_only=True)
class Instead:
    """A booking that would be possible: at another time, or for fewer slots."""

    begins_at: datetime
    count: int


def soonest(
    dates: Sequence[Booking], others: Sequence[Booking], slots: Sequence[Slot], at: datetime, may: May
) -> datetime | None:  # fmt: skip
    """The first time from ``at`` on that all dates can be had at."""
    first = moved(dates, at - dates[0].begins_at)
    if may(first) and all_possible(first, others, slots):
        return at
    return _nearest(first, others, slots, at, may)


def nearest(
    dates: Sequence[Booking], others: Sequence[Booking], slots: Sequence[Slot], soonest: datetime, may: May
) -> tuple[Instead, ...]:  # fmt: skip
    """The nearest time at which all dates can be had, and how many slots can be had at the time that was asked for."""
    at = _nearest(dates, others, slots, soonest, may)
    found = [] if at is None else [Instead(begins_at=at, count=dates[0].count)]
    low, high = 0, dates[0].count - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if all_possible(smaller(dates, middle), others, slots) else (low, middle - 1)
    if low and all_possible(smaller(dates, low), others, slots):
        found.append(Instead(begins_at=dates[0].begins_at, count=low))
    return tuple(found)


def _nearest(
    dates: Sequence[Booking], others: Sequence[Booking], slots: Sequence[Slot], soonest: datetime, may: May
) -> datetime | None:  # fmt: skip
    for shift in _shifts(dates[0], others, soonest):
        instead = moved(dates, shift)
        if may(instead) and all_possible(instead, others, slots):
            return instead[0].begins_at
    return None


def all_possible(dates: Iterable[Booking], others: Iterable[Booking], slots: Sequence[Slot]) -> bool:
    """Whether all dates of a series can be had together."""
    return first_refused(dates, others, slots) is None


def first_refused(dates: Iterable[Booking], others: Iterable[Booking], slots: Sequence[Slot]) -> Booking | None:
    """The first date that cannot be had."""
    taken = list(others)
    for one in dates:
        if not possible(one, taken, slots):
            return one
        taken.append(one)
    return None


def moved(dates: Iterable[Booking], shift: timedelta) -> list[Booking]:
    """The same at another time."""
    return [replace(one, begins_at=one.begins_at + shift, ends_at=one.ends_at + shift) for one in dates]


def smaller(dates: Iterable[Booking], count: int) -> list[Booking]:
    """The same for fewer slots."""
    return [replace(one, ask=replace(one.ask, count=count)) for one in dates]


def _shifts(first: Booking, others: Iterable[Booking], soonest: datetime) -> Iterator[timedelta]:
    """Other times to try, the nearest first."""
    begin, length = first.begins_at, first.length
    times = {rounded_up(other.ends_at) for other in others}
    times |= {_rounded_down(other.begins_at - length) for other in others}
    times = {at for at in times if at >= soonest and abs(at - begin) <= FAR and at != begin}
    yield from [at - begin for at in sorted(times, key=lambda at: (abs(at - begin), at))][:MOST_TRIES]


def _rounded_down(at: datetime) -> datetime:
    return at - timedelta(minutes=at.minute % 5, seconds=at.second, microseconds=at.microsecond)
