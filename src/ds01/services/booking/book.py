"""Making a booking: read as it was typed, checked against what she may, what is booked and what runs, then written.

All of it is decided in the transaction that writes it, so two who ask for the last GPU at the same time cannot both
have it. Nothing half is booked: of a weekly booking all dates, or none.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from ds01.domain.bookings import allowance, nearest, when, words
from ds01.domain.bookings.allowance import Asked
from ds01.domain.errors import BAD_REQUEST, BOOKING_CLASH, GPU_IMPOSSIBLE, NAME_TAKEN, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.gpu import Slot
from ds01.domain.gpu_ask import GpuAsk, ask
from ds01.domain.names import checked, corrected
from ds01.domain.people import Uid
from ds01.domain.placement import Impossible, Inventory, fits, place
from ds01.domain.quantity import show_duration
from ds01.domain.queue.booking import Booking, BookingId, Kind
from ds01.ports.ledger import Books
from ds01.services.booking.show import drawn
from ds01.services.booking.standing import notices, occupied, standing
from ds01.services.caller import Caller
from ds01.services.moments import FARTHEST, lasting
from ds01.services.world import World
from ds01.wire.bookings import Booked, BookRequest

SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(days=31)
MOST_DATES = 60
TOO_FAR = "That is too far off"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A booking that is meant: for whom, what, and the times of its dates. ``now`` is when it was asked for."""

    now: datetime
    name: str
    kind: Kind
    ask: GpuAsk
    uids: frozenset[Uid]
    begins: Sequence[datetime]
    length: timedelta
    group: str = ""
    image: str = ""
    each: int | None = None
    keep: timedelta | None = None


async def book(world: World, caller: Caller, request: BookRequest) -> Booked:
    """Book, or only say what would be booked. Raises Ds01Error with the nearest booking that is possible."""
    now = world.clock.now()
    wanted, ways = await _read(world, caller, request, now), await notices(world)
    if request.check_only:
        dates = await world.ledger.read(lambda books: decide(books, world, caller, wanted, ways))
        return Booked(dates=drawn(world, {caller.uid: caller.user.login}, dates, caller), zone=str(world.zone))
    dates = await world.ledger.write(lambda books: put(books, world, caller, wanted, ways))
    return Booked(dates=drawn(world, {caller.uid: caller.user.login}, dates, caller), zone=str(world.zone))


async def _read(world: World, caller: Caller, request: BookRequest, now: datetime) -> Wanted:
    begin, length = times(world, now, request.begins, request.length_seconds, request.ends)
    uids, kind = frozenset({caller.uid}), Kind.OWN
    if request.group:
        kind = Kind.GROUP
        found = await asyncio.to_thread(world.directory.members, request.group)
        if not found:
            raise Ds01Error(
                BAD_REQUEST, f"The group '{request.group}' has nobody in it.",
                reason="A group is one of the server: 'getent group' lists them.", hint="getent group",
            )  # fmt: skip
        uids = frozenset(user.uid for user in found)
    return Wanted(
        now=now, name=checked(request.name, "name of a booking") if request.name else "",
        kind=kind, ask=_ask(request), uids=uids, begins=dates(world, begin, request.until), length=length,
        group=request.group,
    )  # fmt: skip


def times(
    world: World, now: datetime, begins: str, length_seconds: int | None, ends: str
) -> tuple[datetime, timedelta]:  # fmt: skip
    """Begin and length, as they were typed. Raises Ds01Error."""
    zone = world.zone
    try:
        begin = when.moment(begins, now, zone)
        if begin > now + FARTHEST:
            raise ValueError(TOO_FAR)
        if length_seconds is not None:
            return begin, _length(lasting(length_seconds))
        if not ends:
            raise ValueError("How long? Say it with --for 2h or --to 12:00")
        return begin, _length(when.moment(ends, begin, zone) - begin)
    except (ValueError, OverflowError) as error:
        why = TOO_FAR if isinstance(error, OverflowError) else f"{error}"
        raise Ds01Error(
            BAD_REQUEST, f"{why}.", hint=f"It is {words.day(now, zone)} {words.clock(now, zone)} on this server."
        ) from error


def _length(length: timedelta) -> timedelta:
    if length < SHORTEST:
        raise ValueError(f"A booking is for {show_duration(SHORTEST)} at least")
    if length > LONGEST:
        raise ValueError(f"A booking is for {show_duration(LONGEST)} at most")
    return length


def dates(world: World, begin: datetime, until: str) -> tuple[datetime, ...]:
    """Its begin, and those of the weeks after it up to a date. Raises Ds01Error."""
    if not until:
        return (begin,)
    try:
        last: date = when.day(until, world.clock.now(), world.zone)
    except ValueError as error:
        raise Ds01Error(BAD_REQUEST, f"{error}.", hint="--until 2026-12-18") from error
    first = begin.astimezone(world.zone).date()
    if last < first:
        raise Ds01Error(BAD_REQUEST, f"It ends on {last}, before it begins.", hint="--until takes the last date.")
    count = 1 + when.weeks(first, last)
    if count > MOST_DATES:
        raise Ds01Error(
            BAD_REQUEST, f"These are {count} dates.", reason=f"One booking has {MOST_DATES} at most.",
            hint=f"--until {first + timedelta(weeks=MOST_DATES - 1)}",
        )  # fmt: skip
    return when.weekly(begin, last, world.zone)


def _ask(request: BookRequest) -> GpuAsk:
    try:
        wanted = ask(request.gpus, request.memory_bytes)
    except ValueError as error:
        raise Ds01Error(
            BAD_REQUEST, f"'{request.gpus}' cannot be booked.", reason=f"{error}.",
            hint="ds01 book 2 …, or ds01 book 1g.10gb …",
        ) from error  # fmt: skip
    if wanted.count < 1 or request.count < 1:
        raise Ds01Error(BAD_REQUEST, "A booking is for at least one GPU.", hint="ds01 book 1 …")
    if request.count > 1 and wanted.profile is None:
        raise Ds01Error(
            BAD_REQUEST, "--count is for a kind of GPU.", reason="A number says how many already.",
            hint=f"ds01 book {request.count} …",
        )  # fmt: skip
    return replace(wanted, count=request.count) if request.count > 1 else wanted


# deciding ----------------------------------------------------------------------------------------------
def put(
    books: Books, world: World, caller: Caller, wanted: Wanted, ways: Mapping[Uid, timedelta]
) -> tuple[Booking, ...]:  # fmt: skip
    """Decide and write."""
    found = decide(books, world, caller, wanted, ways)
    for one in found:
        books.put_booking(one)
    first = found[0]
    shown = {
        "name": first.name, "asked": words.what(first.ask),
        "begins": f"{words.day(first.begins_at, world.zone)} {words.clock(first.begins_at, world.zone)}",
        "ends": words.clock(first.ends_at, world.zone), "dates": str(len(found)) if len(found) > 1 else "",
        "people": words.people(first, caller.user.login),
    }  # fmt: skip
    books.record(
        Event(
            at=world.clock.now(), type=EventType.BOOKING_MADE, actor=caller.actor, uid=caller.uid, subject=first.series,
            details={key: value for key, value in shown.items() if value},
        )
    )  # fmt: skip
    return found


def decide(
    books: Books, world: World, caller: Caller, wanted: Wanted, ways: Mapping[Uid, timedelta]
) -> tuple[Booking, ...]:  # fmt: skip
    """All dates, as they would be written; ``ways`` are the ``notices`` of those who give way. Raises Ds01Error."""
    now, zone, limits = world.clock.now(), world.zone, caller.limits
    slots, ill = books.slots(vanished=False), books.quarantined()
    healthy = [slot for slot in slots if slot.healthy(ill)]
    _check_there(wanted.ask, slots)
    found = _dates(books, world, caller, wanted)
    week = allowance.week_begin(now, zone)
    before = [one for one in books.bookings(after=week) if (one.uid, one.epoch) == (caller.uid, caller.epoch)]
    binding = standing(books, world.settings().queue.unclaimed, now)
    others = [*binding, *occupied(books.open_leases(), binding, now, ways)]
    first = allowance.offered(now + limits.bookings_notice + allowance.TO_TYPE, zone)
    asked = Asked(dates=found, gpueq=allowance.cost(found[0], slots), now=wanted.now, zone=zone)

    def may(dates: Sequence[Booking]) -> bool:
        return allowance.allowed(replace(asked, dates=dates), limits, before, slots)

    def soonest() -> datetime | None:
        return nearest.soonest(found, others, healthy, first, may)

    allowance.check(replace(asked, soonest=soonest), limits, before, slots)
    refused = nearest.first_refused(found, others, healthy)
    if refused is not None:
        raise clash(world, found, refused, nearest.nearest(found, others, healthy, first, may))
    return found


def _check_there(wanted: GpuAsk, slots: Sequence[Slot]) -> None:
    """What the server does not have cannot be booked."""
    match place(wanted, Inventory(slots=tuple(slots))):
        case Impossible() as decision:
            raise Ds01Error(
                GPU_IMPOSSIBLE, f"This server never has {words.what(wanted)} at once.",
                reason=decision.reason, hint=_at_most(wanted, slots, decision),
            )  # fmt: skip
        case _:
            return


def _at_most(wanted: GpuAsk, slots: Sequence[Slot], decision: Impossible) -> str:
    there = sum(fits(slot, wanted) for slot in slots)
    if there:
        return f"The most it can do: {words.what(replace(wanted, count=there))}"
    return f"The nearest it can do: {decision.nearest.removeprefix('--gpus ')}"


def _dates(books: Books, world: World, caller: Caller, wanted: Wanted) -> tuple[Booking, ...]:
    name = wanted.name or _free_name(books, world, caller, wanted)
    standing_ = {one.name for one in books.bookings() if (one.uid, one.epoch) == (caller.uid, caller.epoch)}
    if name in standing_:
        raise Ds01Error(
            NAME_TAKEN, f"You have a booking named '{name}' already.", hint=f"Cancel it: ds01 bookings cancel {name}"
        )
    series = f"series-{secrets.token_hex(6)}"
    return tuple(
        Booking(
            id=BookingId(f"booking-{secrets.token_hex(8)}"), uid=caller.uid, epoch=caller.epoch, name=name,
            ask=wanted.ask, begins_at=begin, ends_at=begin + wanted.length, uids=wanted.uids, series=series,
            kind=wanted.kind, each=wanted.each, keep=wanted.keep, group=wanted.group, image=wanted.image,
            made_at=world.clock.now(),
        )
        for begin in wanted.begins
    )  # fmt: skip


def _free_name(books: Books, world: World, caller: Caller, wanted: Wanted) -> str:
    """A name for who gave none: the group, or the day and the hour."""
    begin = wanted.begins[0].astimezone(world.zone)
    base = corrected(wanted.group) or f"{begin:%a-%H-%M}".lower()
    taken = {one.name for one in books.bookings() if one.uid == caller.uid}
    return next(name for name in (base, *(f"{base}-{number}" for number in range(2, 1000))) if name not in taken)


def clash(
    world: World, asked: Sequence[Booking], refused: Booking, instead: Sequence[nearest.Instead]
) -> Ds01Error:  # fmt: skip
    """Others are in the way: how many can be had then, and when all of them."""
    zone, first = world.zone, asked[0]
    fewer = next((one for one in instead if one.begins_at == first.begins_at), None)
    later = next((one for one in instead if one.begins_at != first.begins_at), None)
    had = f"only {fewer.count} of them can be had" if fewer else "none of them can be had"
    at = words.span(refused.begins_at, refused.ends_at, zone)
    hints = []
    if later is not None:
        hints.append(f"The nearest possible: --from '{allowance.typed(later.begins_at, zone)}'")
    if fewer is not None:
        at_then = words.clock(first.begins_at, zone)
        hints.append(f"{'or a' if hints else 'A'}t {at_then} only {words.what(replace(first.ask, count=fewer.count))}")
    return Ds01Error(
        BOOKING_CLASH, f"{words.what(first.ask)} cannot be booked for {at}: {had}.",
        reason="The others are booked already, or in use by something that may run into that time.",
        hint=", ".join(hints) + "." if hints else "Nothing is possible within a week of it: ask for less.",
        date=refused.begins_at.isoformat(), nearest=later.begins_at.isoformat() if later else "",
        fits=str(fewer.count) if fewer else "0",
    )  # fmt: skip
