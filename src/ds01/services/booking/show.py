"""Bookings as somebody sees them: her own and those she may use; all of them for admins who ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from ds01.domain.bookings import allowance, ical, words
from ds01.domain.quantity import show_hours
from ds01.domain.queue.booking import Booking, BookingState, in_use, kept
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.people import names, strangers
from ds01.services.world import World
from ds01.wire.bookings import BookingsView, BookingView


async def show(world: World, caller: Caller, *, everybody: bool = False, over: bool = False) -> BookingsView:
    """Those that stand, the next one first; with ``over`` also those of this week that ended."""
    others = await _strangers(world, caller)

    def read(books: Books) -> BookingsView:
        found = visible(books, world, caller, everybody=everybody, over=over)
        called = names(books, others)
        week = _week(books, world, caller)
        limit = caller.limits.bookings_per_week
        return BookingsView(
            bookings=tuple(_seen(books, world, one, called(one.uid), caller) for one in found),
            zone=str(world.zone), week_used=show_hours(week),
            week_limit="no limit" if limit is None else show_hours(limit),
        )  # fmt: skip

    return await world.ledger.read(read)


async def calendar(world: World, caller: Caller, *, everybody: bool = False) -> str:
    """The same as a calendar that other programs read (RFC 5545)."""
    others = await _strangers(world, caller)

    def read(books: Books) -> str:
        found = visible(books, world, caller, everybody=everybody)
        called = names(books, others)
        entries = [
            ical.Entry(
                uid=f"{one.id}@{world.server}", begins_at=one.begins_at, ends_at=one.ends_at,
                summary=f"{one.name}: {words.what(one.ask)} on {world.server}",
                description=f"Booked by {called(one.uid)} for {words.people(one, called(one.uid))}.",
                made_at=one.made_at or world.clock.now(),
            )
            for one in found
        ]  # fmt: skip
        return ical.calendar(entries, name=f"GPUs of {world.server}", now=world.clock.now())

    return await world.ledger.read(read)


async def _strangers(world: World, caller: Caller) -> dict[int, str]:
    """Who booked and never was here."""
    return await strangers(
        world.ledger, world.directory,
        lambda books: {one.uid for one in visible(books, world, caller, everybody=True, over=True)},
    )  # fmt: skip


def visible(
    books: Books, world: World, caller: Caller, *, everybody: bool = False, over: bool = False
) -> list[Booking]:
    """The bookings somebody may know of."""
    week = allowance.week_begin(world.clock.now(), world.zone)
    every = books.bookings(after=week) if over else books.bookings()
    return [one for one in every if everybody or _hers(one, caller)]


def drawn(
    world: World, called: Mapping[int, str], bookings: Iterable[Booking], caller: Caller
) -> tuple[BookingView, ...]:
    """The views of bookings that have not begun."""
    return tuple(_view(world, one, called.get(one.uid, ""), caller, one.count, 0) for one in bookings)


def _hers(booking: Booking, caller: Caller) -> bool:
    own = (booking.uid, booking.epoch) == (caller.uid, caller.epoch)
    return own or caller.uid in booking.uids


def _seen(books: Books, world: World, booking: Booking, owner: str, caller: Caller) -> BookingView:
    now = world.clock.now()
    if not booking.on(now):
        return _view(world, booking, owner, caller, 0 if booking.ended_at else booking.count, 0)
    leases = books.leases_of(booking.id)
    left = kept(booking, leases, now, world.settings().queue.unclaimed)
    return _view(world, booking, owner, caller, left, in_use(leases).total())


def _view(world: World, booking: Booking, owner: str, caller: Caller, kept_: int, used: int) -> BookingView:
    state = "on" if booking.on(world.clock.now()) else booking.state.value
    return BookingView(
        id=booking.id, name=booking.name, owner=owner, kind=booking.kind.value,
        people=words.people(booking, owner), asked=words.what(booking.ask),
        begins_at=booking.begins_at.astimezone(world.zone).isoformat(),
        ends_at=booking.ends_at.astimezone(world.zone).isoformat(),
        state=state, series=booking.series, kept=kept_, used=used, mine=caller.uid in booking.uids,
    )  # fmt: skip


def _week(books: Books, world: World, caller: Caller) -> timedelta:
    """GPU time she booked in this week."""
    now, slots = world.clock.now(), books.slots()
    week = allowance.week_begin(now, world.zone)
    monday = allowance.week_of(now, world.zone)
    mine = [
        one for one in books.bookings(after=week)
        if (one.uid, one.epoch) == (caller.uid, caller.epoch) and one.state is not BookingState.CANCELLED
        and allowance.week_of(one.begins_at, world.zone) == monday
    ]  # fmt: skip
    return sum((allowance.gpu_time(allowance.cost(one, slots), one.length) for one in mine), timedelta(0))
