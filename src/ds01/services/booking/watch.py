"""What happens to bookings when time comes: they begin, what nobody came for goes back, they end.

None of it is needed for bookings to be kept: every pass works that out from the clock. Here it is put on record, once,
so that people are told, the queue looks at once, and a booking that is over is over for good. What runs in a booking
was planned to its end, so the rules of lifecycle warn and stop it; a GPU that is only held for a stopped container
goes back with the booking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from ds01.domain.bookings import words
from ds01.domain.events import Event, EventType
from ds01.domain.lease import LeaseState
from ds01.domain.people import Uid
from ds01.domain.quantity import many
from ds01.domain.queue.booking import Booking, BookingId, BookingState, Kind, kept
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.booking.close import sweep
from ds01.services.world import World

OVER = "its booking is over"
GROUP_AHEAD = timedelta(minutes=5)
"""How long before its begin a group's members are looked up again."""


async def watch(world: World) -> None:
    """One look at the bookings whose time has come, and at what is left of those that are over."""
    now = world.clock.now()
    if await world.ledger.read(lambda books: any(True for _ in _due(books, world, now))):
        await world.ledger.write(lambda books: _settle(books, world, now))
    await _follow_groups(world, now)
    await sweep(world)


def _settle(books: Books, world: World, now: datetime) -> None:
    for one in list(_due(books, world, now)):
        if now >= one.ends_at:
            _end(books, one, now)
        elif one.told is None:
            books.put_booking(replace(one, told=one.count))
            until = words.clock(one.ends_at, world.zone)
            _record(books, EventType.BOOKING_BEGAN, one, now, asked=words.what(one.ask), until=until)
        else:
            _give_back(books, world, one, now)


def _due(books: Books, world: World, now: datetime) -> Iterator[Booking]:
    """Those of which there is something to write down."""
    for one in books.bookings():
        if one.begins_at > now:
            return
        if now >= one.ends_at or one.told is None or _left(books, world, one, now) < one.told:
            yield one


def _left(books: Books, world: World, one: Booking, now: datetime) -> int:
    return kept(one, books.leases_of(one.id), now, world.settings().queue.unclaimed)


def _give_back(books: Books, world: World, one: Booking, now: datetime) -> None:
    """Nobody came for some of it, or for all: then there is nothing left of it."""
    left, told = _left(books, world, one, now), one.told or one.count
    _record(
        books, EventType.BOOKING_RELEASED, one, now, given_back=f"{told - left} of {one.count}", kept=str(left)
    )  # fmt: skip
    if left or one.kind is Kind.CLASS:
        books.put_booking(replace(one, told=left))
    else:
        books.put_booking(
            replace(one, state=BookingState.RELEASED, ended_at=now, reason="nobody came in time", told=0)
        )  # fmt: skip


def _end(books: Books, one: Booking, now: datetime) -> None:
    """It is over: GPUs that wait for a stopped container, or for one that never started, wait no longer."""
    for lease in books.leases_of(one.id):
        if lease.state in (LeaseState.HELD, LeaseState.RESERVED):
            leases.release(books, lease.id, OVER, now)
    running = [lease.name for lease in books.leases_of(one.id) if lease.state.open]
    ended = many(len(running), "container") if len(running) > 1 else "".join(running)
    books.put_booking(replace(one, state=BookingState.OVER, ended_at=now))
    _record(books, EventType.BOOKING_ENDED, one, now, stopped=ended)


async def _follow_groups(world: World, now: datetime) -> None:
    """Who joins a group may use what is booked for it: its members are looked up again before it begins."""
    due = await world.ledger.read(lambda books: [one for one in books.bookings() if _fresh(one, now)])
    for one in due:
        members = await asyncio.to_thread(world.directory.members, one.group)
        uids = frozenset(user.uid for user in members or ())
        if uids and uids != one.uids:
            await world.ledger.write(partial(_joined, booking=one.id, uids=uids))


def _joined(books: Books, booking: BookingId, uids: frozenset[Uid]) -> None:
    current = books.booking(booking)
    if current is not None and current.state is BookingState.BOOKED:
        books.put_booking(replace(current, uids=uids))


def _fresh(one: Booking, now: datetime) -> bool:
    return one.kind is Kind.GROUP and one.begins_at <= now + GROUP_AHEAD


def _record(books: Books, kind: EventType, one: Booking, now: datetime, **details: str) -> None:
    shown = {"name": one.name, **details}
    books.record(
        Event(
            at=now, type=kind, actor=None, uid=one.uid, subject=one.id,
            details={key: value for key, value in shown.items() if value},
        )
    )  # fmt: skip
