"""The instructor's view: who is in, who waits, who has not come, on which GPU, and what went wrong for whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ds01.domain.bookings import words
from ds01.domain.events import EventType
from ds01.domain.gpu import SlotId
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.people import Uid
from ds01.domain.quantity import many
from ds01.domain.queue.booking import Booking, Kind, in_use, kept
from ds01.domain.queue.seating import seated
from ds01.ports.ledger import Books
from ds01.services.booking.own import opened
from ds01.services.booking.show import drawn
from ds01.services.booking.standing import standing
from ds01.services.caller import Caller
from ds01.services.images import resolve
from ds01.services.people import Names, names, strangers
from ds01.services.world import World
from ds01.wire.classes import ClassView, SeatView

_ORDER = ("in", "starting", "stopped", "waiting", "left", "absent")
_STATES = {LeaseState.ACTIVE: "in", LeaseState.RESERVED: "starting", LeaseState.HELD: "stopped"}


async def list_classes(world: World, caller: Caller, *, everybody: bool = False) -> tuple[ClassView, ...]:
    """The caller's classes and those she is in; everybody's for admins."""
    others = await _strangers(world)

    def read(books: Books) -> tuple[ClassView, ...]:
        called = names(books, others)
        found: dict[str, list[Booking]] = {}
        for one in books.bookings():
            own = (one.uid, one.epoch) == (caller.uid, caller.epoch)
            if one.kind is Kind.CLASS and (everybody or own or caller.uid in one.uids):
                found.setdefault(one.series, []).append(one)
        return tuple(_view(books, world, caller, each, called) for each in found.values())

    return await world.ledger.read(read)


async def show_class(world: World, caller: Caller, name: str) -> ClassView:
    """One class with its people. Raises Ds01Error (``booking.unknown``)."""
    image = await world.ledger.read(lambda books: opened(books, caller, name)[0].image)
    there = await resolve(world, caller, image) is not None
    others = await _strangers(world)

    def read(books: Books) -> ClassView:
        found = opened(books, caller, name)
        called = names(books, others)
        people = _people(books, world, found[0], called)
        checks = _checks(books, world, found, "" if there else f"The image {image} is not there any more.")
        return _view(books, world, caller, found, called, people, checks)

    return await world.ledger.read(read)


async def _strangers(world: World) -> dict[int, str]:
    """People of classes who never were here."""
    return await strangers(
        world.ledger, world.directory,
        lambda books: {uid for one in books.bookings() if one.kind is Kind.CLASS for uid in (one.uid, *one.uids)},
    )  # fmt: skip


def _view(
    books: Books, world: World, caller: Caller, found: Sequence[Booking], called: Names,
    people: tuple[SeatView, ...] = (), checks: tuple[str, ...] = (),
) -> ClassView:  # fmt: skip
    first, now = found[0], world.clock.now()
    leases = books.leases_of(first.id) if first.on(now) else ()
    left = kept(first, leases, now, world.settings().queue.unclaimed) if first.on(now) else first.count
    (shown,) = drawn(world, {first.uid: called(first.uid)}, [first], caller)
    return ClassView(
        name=first.name, owner=called(first.uid), asked=words.what(first.ask), seats=first.count // first.share,
        people=len(first.uids), image=first.image, next=shown, dates=len(found), zone=str(world.zone),
        kept=left // first.share, used=in_use(leases).total() // first.share, roster=people, checks=checks,
    )  # fmt: skip


def _people(books: Books, world: World, one: Booking, called: Names) -> tuple[SeatView, ...]:
    labels = {slot.id: slot.label for slot in books.slots()}
    leases = books.leases_of(one.id)
    waiting = {request.uid: request.submitted_at for request in books.open_requests() if request.name == one.name}
    wrong = _denied(books, one) if one.on(world.clock.now()) else {}
    seats = [_seat(uid, called(uid), leases, labels, waiting.get(uid), wrong.get(uid, "")) for uid in one.uids]
    return tuple(sorted(seats, key=lambda seat: (_ORDER.index(seat.state), seat.login)))


def _seat(
    uid: Uid, login: str, leases: Sequence[Lease], labels: dict[SlotId, str], waits: datetime | None, wrong: str
) -> SeatView:
    mine = [lease for lease in leases if lease.uid == uid]
    now_ = next((lease for lease in mine if lease.state.open), None)
    if now_ is not None:
        gpus = tuple(labels.get(slot, slot) for slot in now_.slots)
        return SeatView(login=login, state=_STATES[now_.state], gpus=gpus, since=now_.granted_at.isoformat())
    if waits is not None:
        return SeatView(login=login, state="waiting", since=waits.isoformat(), hint=wrong)
    ends = [lease.ended_at for lease in mine if lease.ended_at is not None]
    if ends:
        return SeatView(login=login, state="left", since=max(ends).isoformat(), hint=wrong)
    return SeatView(login=login, state="absent", hint=wrong)


def _denied(books: Books, one: Booking) -> dict[Uid, str]:
    """What each of them was refused last since it began."""
    found = books.events(types=(EventType.REQUEST_DENIED,), since=one.begins_at, limit=500)
    return {event.uid: event.details.get("message", "") for event in found if event.uid in one.uids}


def _checks(books: Books, world: World, found: Sequence[Booking], image: str) -> tuple[str, ...]:
    """What would keep the class from going well, as far as it can be known."""
    first, now = found[0], world.clock.now()
    problems = [image] if image else []
    ill = books.quarantined()
    slots = [slot for slot in books.slots(vanished=False) if slot.healthy(ill)]
    binding = standing(books, world.settings().queue.unclaimed, now)
    given = seated(binding, slots)
    short = next((one for one in given.unseated if one.id == first.id), None)
    if short is not None:
        had = len(given.slots[first.id])
        problems.append(f"Only {had} of {short.count} GPUs can be had: others are out of service. Ask an admin.")
    busy = _running_into(books, first, given.slots.get(first.id, ()))
    if busy and not first.on(now):
        problems.append(f"{many(busy, 'GPU')} of it may still be in use when it begins.")
    return tuple(problems)


def _running_into(books: Books, one: Booking, slots: Sequence[SlotId]) -> int:
    """How many of its slots have something that may run longer than it should."""
    return sum(
        1
        for lease in books.open_leases()
        if lease.booking != one.id and (lease.planned is None or lease.granted_at + lease.planned > one.begins_at)
        for slot in lease.slots
        if slot in slots
    )
