"""Giving a booking up: one date, or all that are to come. What runs in one that is on goes on to its end."""

from __future__ import annotations

from dataclasses import replace

from ds01.domain.bookings import when, words
from ds01.domain.errors import BAD_REQUEST, NO_BOOKING, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.queue.booking import Booking, BookingState
from ds01.ports.ledger import Books
from ds01.services.booking.own import booked
from ds01.services.booking.show import drawn
from ds01.services.caller import Caller
from ds01.services.world import World
from ds01.wire.bookings import Booked


async def cancel(world: World, caller: Caller, name: str, date: str = "", *, check_only: bool = False) -> Booked:
    """The dates as they were. Raises Ds01Error (``booking.unknown``)."""

    def write(books: Books) -> list[Booking]:
        found = _dates(books, world, caller, name, date)
        if not check_only:
            give_up(books, world, caller, found)
        return found

    found = await (world.ledger.read(write) if check_only else world.ledger.write(write))
    return Booked(dates=drawn(world, {caller.uid: caller.user.login}, found, caller), zone=str(world.zone))


def give_up(books: Books, world: World, caller: Caller, dates: list[Booking]) -> None:
    """These dates are booked no more."""
    now, first = world.clock.now(), dates[0]
    reason = f"by admin {caller.actor_login}" if caller.for_another else ""
    for one in dates:
        books.put_booking(replace(one, state=BookingState.CANCELLED, ended_at=now, reason=reason))
    shown = {
        "name": first.name, "begins": f"{words.day(first.begins_at, world.zone)} "
        f"{words.clock(first.begins_at, world.zone)}", "dates": str(len(dates)) if len(dates) > 1 else "",
        "reason": reason,
    }  # fmt: skip
    books.record(
        Event(
            at=now,
            type=EventType.BOOKING_CANCELLED,
            actor=caller.actor,
            uid=first.uid,
            subject=first.series,
            details={key: value for key, value in shown.items() if value},
        )
    )


def _dates(books: Books, world: World, caller: Caller, name: str, date: str) -> list[Booking]:
    found = booked(books, caller, name)
    if not date:
        return found
    try:
        day = when.day(date, world.clock.now(), world.zone)
    except ValueError as error:
        raise Ds01Error(BAD_REQUEST, f"{error}.", hint="--date 2026-12-08") from error
    chosen = [one for one in found if one.begins_at.astimezone(world.zone).date() == day]
    if not chosen:
        known = ", ".join(f"{one.begins_at.astimezone(world.zone):%Y-%m-%d}" for one in found[:3])
        raise Ds01Error(
            NO_BOOKING, f"'{name}' has no date on {day:%a %d %b}.", reason=f"Its next ones: {known}.",
            hint="ds01 bookings",
        )  # fmt: skip
    return chosen
