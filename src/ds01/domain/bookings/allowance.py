"""What somebody may book: for whom, how far ahead, with how much notice, how much GPU time a week.

A week is one of the calendar, Monday to Sunday on the clock on the server's wall: that is how people count them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from fractions import Fraction

from ds01.domain.bookings import when
from ds01.domain.errors import BAD_REQUEST, BOOKING_DENIED, BOOKING_QUOTA, Ds01Error
from ds01.domain.gpu import Slot
from ds01.domain.limits import Limits
from ds01.domain.placement import cheapest
from ds01.domain.quantity import show_duration, show_gpueq, show_hours
from ds01.domain.queue.booking import Booking, BookingState, Kind

TO_TYPE = timedelta(minutes=2)
"""Whoever is offered a time has so long to type it."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """All dates of what somebody wants to book, and what one moment of it costs. ``now`` is when it was asked for;
    ``soonest`` says when it could begin instead, if it begins too soon: None when not within reach.
    """

    dates: Sequence[Booking]
    gpueq: Fraction
    now: datetime
    zone: tzinfo
    soonest: Callable[[], datetime | None] = lambda: None


def check(asked: Asked, limits: Limits, before: Iterable[Booking], slots: Sequence[Slot]) -> None:
    """Raise Ds01Error when she may not book this. ``before`` is what she booked already, however it ended."""
    first, last = asked.dates[0], asked.dates[-1]
    check_who(first.kind, limits)
    if first.kind is not Kind.CLASS:
        _check_size(first, limits, asked.gpueq)
    _check_time(first, last, limits, asked)
    _check_week(asked, limits, tuple(before), slots)


def allowed(asked: Asked, limits: Limits, before: Iterable[Booking], slots: Sequence[Slot]) -> bool:
    """Whether she may book this, and its begin can be typed."""
    begin = asked.dates[0].begins_at
    try:
        check(replace(asked, soonest=lambda: None), limits, before, slots)
    except Ds01Error:
        return False
    return offered(begin, asked.zone) == begin


def cost(booking: Booking, slots: Sequence[Slot]) -> Fraction:
    """What one moment of a booking costs at least, in GPU-equivalents."""
    return cheapest(booking.ask, [slot for slot in slots if booking.could_use(slot)])


def gpu_time(gpueq: Fraction, length: timedelta) -> timedelta:
    """GPU time: 4 GPUs for half an hour are two hours."""
    return timedelta(seconds=float(gpueq * Fraction(length.total_seconds())))


def check_who(kind: Kind, limits: Limits) -> None:
    """Raise Ds01Error when she may book nothing of this kind, whatever it is."""
    if limits.bookings_who == "others" or (limits.bookings_who == "self" and kind is Kind.OWN):
        return
    source = limits.sources["bookings.who"].source
    whom = "anything" if limits.bookings_who == "nobody" else "for others"
    raise Ds01Error(
        BOOKING_DENIED, f"You may not book {whom}.", reason=f"bookings.who is {limits.bookings_who} ({source})",
        hint="Ask an admin, or wait for your turn: ds01 launch NAME --wait",
    )  # fmt: skip


def _check_time(first: Booking, last: Booking, limits: Limits, asked: Asked) -> None:
    notice, ahead = limits.bookings_notice, limits.bookings_ahead
    if first.begins_at < asked.now:
        raise Ds01Error(BAD_REQUEST, "A booking cannot begin in the past.", hint=_soonest(asked))
    if first.begins_at - asked.now < notice:
        source = limits.sources["bookings.notice"].source
        raise Ds01Error(
            BOOKING_DENIED, f"A booking of yours must be made {show_duration(notice)} before it begins.",
            reason=f"bookings.notice is {show_duration(notice)} ({source})",
            hint=f"{_soonest(asked)} Now: ds01 launch NAME",
        )  # fmt: skip
    if ahead is not None and last.begins_at - asked.now > ahead:
        source = limits.sources["bookings.ahead"].source
        latest = (asked.now + ahead).astimezone(asked.zone).date()
        what = "begin" if first is last else "have dates"
        raise Ds01Error(
            BOOKING_DENIED, f"A booking of yours may {what} up to {show_duration(ahead)} ahead.",
            reason=f"bookings.ahead is {show_duration(ahead)} ({source})",
            hint=f"The last day is {latest:%a %d %b}" + ("." if first is last else f": --until {latest}"),
        )  # fmt: skip


def _soonest(asked: Asked) -> str:
    at = asked.soonest()
    if at is None:
        return "Nothing is possible within a week: ask for less."
    return f"The soonest you can book: --from '{typed(at, asked.zone)}'."


def _check_size(first: Booking, limits: Limits, gpueq: Fraction) -> None:
    most = limits.gpus_max
    if first.kind is Kind.OWN and most is not None and gpueq > most:
        source = limits.sources["gpus.max"].source
        raise Ds01Error(
            BOOKING_QUOTA,
            f"You may use {_gpus(most)} at once, and this books {show_gpueq(gpueq)}.",
            reason=f"gpus.max is {show_gpueq(most)} ({source})",
            hint=f"Book fewer: ds01 book {int(most)} …" if most >= 1 else "Book a smaller slot: ds01 gpus",
        )  # fmt: skip


def _gpus(number: Fraction) -> str:
    return f"{show_gpueq(number)} GPU{'' if number == 1 else 's'}"


def _check_week(asked: Asked, limits: Limits, before: Sequence[Booking], slots: Sequence[Slot]) -> None:
    most = limits.bookings_per_week
    if most is None:
        return
    for one in asked.dates:
        monday = week_of(one.begins_at, asked.zone)
        had = sum(
            (gpu_time(cost(other, slots), other.length) for other in before
             if other.state is not BookingState.CANCELLED and week_of(other.begins_at, asked.zone) == monday),
            timedelta(0),
        )  # fmt: skip
        mine = sum(
            (gpu_time(asked.gpueq, other.length) for other in asked.dates
             if week_of(other.begins_at, asked.zone) == monday),
            timedelta(0),
        )  # fmt: skip
        if had + mine > most:
            raise _over(asked, limits, most, had, mine, monday)


def _over(asked: Asked, limits: Limits, most: timedelta, had: timedelta, mine: timedelta, monday: date) -> Ds01Error:
    left, source = max(timedelta(0), most - had), limits.sources["bookings.per_week"].source
    booked = f", {show_hours(had)} of that week are booked" if had else ""
    longest = timedelta(minutes=int(left / float(asked.gpueq) / timedelta(minutes=1)) // 5 * 5)
    hint = f"This would do: --for {show_duration(longest)}" if longest >= timedelta(minutes=15) else "ds01 bookings"
    return Ds01Error(
        BOOKING_QUOTA,
        f"You may book {show_hours(most)} of GPU time a week{booked}, and this needs {show_hours(mine)}.",
        reason=f"bookings.per_week is {show_hours(most)} ({source}); the week begins on {monday:%a %d %b}", hint=hint,
        used=show_hours(had), asked=show_hours(mine), limit=show_hours(most), source=source,
    )  # fmt: skip


def week_of(at: datetime, zone: tzinfo) -> date:
    """The Monday of its week."""
    here = at.astimezone(zone).date()
    return here - timedelta(days=here.weekday())


def week_begin(at: datetime, zone: tzinfo) -> datetime:
    """When its week begins."""
    return datetime.combine(week_of(at, zone), time(0, 0), zone).astimezone(UTC)


def rounded_up(at: datetime, minutes: int = 5) -> datetime:
    """The next full five minutes."""
    step = timedelta(minutes=minutes)
    over = timedelta(minutes=at.minute % minutes, seconds=at.second, microseconds=at.microsecond)
    return at if not over else at - over + step


def offered(at: datetime, zone: tzinfo) -> datetime:
    """The next full five minutes that are read as what is meant: of an hour that comes twice people type the first."""
    at = rounded_up(at)
    while when.moment(typed(at, zone), at, zone) != at:
        at += timedelta(minutes=5)
    return at


def typed(at: datetime, zone: tzinfo) -> str:
    """A time as it is typed."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
