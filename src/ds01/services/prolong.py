"""Its owner's word for a container: more running time, or leave to idle, within what the policy allows, on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ds01.domain.bookings import words
from ds01.domain.container import Container, ContainerState
from ds01.domain.errors import BAD_REQUEST, EXTEND_QUOTA, WRONG_STATE, Ds01Error
from ds01.domain.events import EventType
from ds01.domain.gpu import Slot
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.lifecycle.case import ZERO, Rule
from ds01.domain.quantity import show_duration
from ds01.domain.queue.booking import Booking, BookingId
from ds01.domain.queue.seating import seated
from ds01.ports.ledger import Books
from ds01.services.booking.standing import occupied, standing
from ds01.services.caller import Caller
from ds01.services.ending import open_lease
from ds01.services.find import find
from ds01.services.moments import FARTHEST, lasting
from ds01.services.observe import view
from ds01.services.on_behalf import tell_owner
from ds01.services.queue.scene import HEAD, owner_of, scene, waiting
from ds01.services.tell import tell
from ds01.services.world import World
from ds01.wire.lifecycle import ExtendView, KeepView

LEAST = timedelta(minutes=1)


async def extend(world: World, caller: Caller, name: str, seconds: int) -> ExtendView:
    """Add to the time it may run. Raises Ds01Error (``extend.quota``) beyond what the policy allows in all."""
    by = lasting(seconds)
    if by < LEAST:
        raise Ds01Error(BAD_REQUEST, "At least a minute can be added.", hint=f"ds01 extend {name} 1h")
    most = world.settings().lifecycle.extend_max
    async with world.locks.hold(caller.uid, name, "extend"):
        container, left = await world.ledger.write(lambda books: _extend(books, world, caller, name, by, most))
    await tell_owner(world, caller, container, f"gave {show_duration(by)} more to")
    shown = await view(world, caller, container)
    ends = None if left is None else (world.clock.now() + left + by).isoformat(timespec="seconds")
    return ExtendView(
        container=shown, added_seconds=seconds, total_seconds=int(container.extended.total_seconds()),
        more_seconds=max(0, int((most - container.extended).total_seconds())), ends_at=ends,
    )  # fmt: skip


def _unbound(caller: Caller) -> bool:
    """An admin says herself what is too much, for her own and for somebody else's."""
    return caller.admin or caller.for_another


def _extend(
    books: Books, world: World, caller: Caller, name: str, by: timedelta, most: timedelta
) -> tuple[Container, timedelta | None]:
    """The container with its new time, and what was left to it before: the next look has the new time in it."""
    container = find(books, caller, name)
    left = _left(world, container, Rule.RUNTIME)
    if not caller.limits.runtime_without_gpu:
        _check_gpu(container, "There is no time to extend")
    if not _unbound(caller) and container.extended + by > most:
        raise _too_much(container, by, most)
    lease = open_lease(books, container)
    if lease is not None and lease.booking:
        raise _booked(world, container, books.booking(BookingId(lease.booking)))
    longer = replace(container, extended=container.extended + by)
    books.put_container(longer)
    if lease is not None and lease.planned is not None:
        later = replace(lease, planned=lease.planned + by)
        check_promises(books, world, container, lease, later)
        books.put_lease(later)
    tell(
        books, EventType.CONTAINER_EXTENDED, longer, at=world.clock.now(), actor=caller.actor,
        by=show_duration(by), total=show_duration(longer.extended), why=caller.reason,
    )  # fmt: skip
    return longer, left


def _booked(world: World, container: Container, booking: Booking | None) -> Ds01Error:
    """What is booked ends when it was said to end: others were promised what comes after it."""
    until = "" if booking is None else f" until {words.clock(booking.ends_at, world.zone)}"
    return Ds01Error(
        EXTEND_QUOTA, f"'{container.name}' cannot be extended: its GPU is booked{until}.",
        reason="Others may have booked what comes after it.",
        hint=f"Start it again then, if a GPU is free: ds01 start {container.name}",
    )  # fmt: skip


def give_back_time(books: Books, world: World, container: Container, lease: Lease, now: datetime) -> None:
    """It starts again within its hold: the time it stood still is not taken from what it may run, unless its GPU was
    promised to somebody meanwhile.
    """
    held = books.lease(lease.id)
    if held is None or held.state is not LeaseState.HELD or held.planned is None or container.stopped_at is None:
        return
    later = replace(held, planned=held.planned + max(ZERO, now - container.stopped_at))
    if held.booking:
        return
    try:
        check_promises(books, world, container, held, later)
    except Ds01Error as error:
        if error.kind is not EXTEND_QUOTA:
            raise
        return
    books.put_lease(later)


def check_promises(books: Books, world: World, container: Container, lease: Lease, later: Lease) -> None:
    """Raise Ds01Error (``extend.quota``) when somebody was promised what ``later`` would keep from her."""
    _check_bookings(books, world, container, lease, later)
    _check_head(books, world, container, lease, later)


def _check_head(books: Books, world: World, container: Container, lease: Lease, later: Lease) -> None:
    """Who was given a time in the queue keeps it."""
    if not books.note(HEAD):
        return
    seen = scene(books, world.line, world.settings().queue, world.clock.now())
    every = [request for request in waiting(books) if owner_of(request) in world.line.members]
    head = seen.plan(every).head
    if head is None or head.at is None:
        return
    after = seen.with_lease(later).plan(every)
    kept = after.head is not None and after.head.at is not None and after.head.at <= head.at
    if head.request != seen.kept or kept or head.request not in after.order:
        return
    left = head.at - (lease.granted_at + (lease.planned or ZERO))
    raise Ds01Error(
        EXTEND_QUOTA, f"'{container.name}' cannot be extended that far: somebody who waits was given its GPU.",
        reason=f"It is promised from {head.at.astimezone(world.zone):%a %d %b %H:%M %Z} on.",
        hint=f"ds01 extend {container.name} {show_duration(left)}" if left >= LEAST else f"ds01 why {container.name}",
    )  # fmt: skip


def _check_bookings(books: Books, world: World, container: Container, lease: Lease, later: Lease) -> None:
    """Nobody's booking may lose its GPU to the extension."""
    now = world.clock.now()
    binding = standing(books, world.settings().queue.unclaimed, now)
    if not binding:
        return
    others = [other for other in books.open_leases() if other.id != lease.id]
    slots = books.slots(vanished=False)
    before = _without_seat(binding, [*others, lease], slots, now)
    lost = [one for one in _without_seat(binding, [*others, later], slots, now) if one not in before]
    if not lost:
        return
    begins = min(one.begins_at for one in lost)
    left = begins - (lease.granted_at + (lease.planned or ZERO))
    raise Ds01Error(
        EXTEND_QUOTA, f"'{container.name}' cannot be extended that far: its GPU is booked.",
        reason=f"The booking begins at {begins.astimezone(world.zone):%a %d %b %H:%M %Z}.",
        hint=f"ds01 extend {container.name} {show_duration(left)}" if left >= LEAST else "ds01 bookings list",
    )  # fmt: skip


def _without_seat(
    binding: Sequence[Booking], leases: Sequence[Lease], slots: Sequence[Slot], now: datetime
) -> tuple[Booking, ...]:
    unseated = seated([*binding, *occupied(leases, binding, now)], slots).unseated
    return tuple(one for one in unseated if one in binding)


def _too_much(container: Container, by: timedelta, most: timedelta) -> Ds01Error:
    left = max(ZERO, most - container.extended)
    had = f"It was extended by {show_duration(container.extended)} already. " if container.extended else ""
    hint = f"ds01 extend {container.name} {show_duration(left)}" if left >= LEAST else "Ask an admin for an exemption."
    return Ds01Error(
        EXTEND_QUOTA, f"'{container.name}' cannot be extended by {show_duration(by)}.",
        reason=f"{had}A container may be extended by {show_duration(most)} in all (policy.extend.max).", hint=hint,
    )  # fmt: skip


async def keep(world: World, caller: Caller, name: str, until: datetime) -> KeepView:
    """Let it idle until a time. Raises Ds01Error when that is past, or later than the policy allows."""
    now, most = world.clock.now(), world.settings().lifecycle.keep_alive_max
    until = until.astimezone(UTC)
    if until <= now:
        raise Ds01Error(BAD_REQUEST, "That time is past.", hint=f"ds01 keep {name} --for 2h")
    if until > now + FARTHEST:
        raise Ds01Error(BAD_REQUEST, "That time is too far off.", hint=f"ds01 keep {name} --for 2h")
    if not _unbound(caller) and until > now + most:
        raise Ds01Error(
            EXTEND_QUOTA, f"'{name}' cannot be kept until then.",
            reason=f"One word keeps a container for {show_duration(most)} at most (policy.keep_alive.max).",
            hint=f"ds01 keep {name} --for {show_duration(most)}",
        )  # fmt: skip
    async with world.locks.hold(caller.uid, name, "keep"):
        container = await world.ledger.write(lambda books: _keep(books, caller, name, until, now))
    await tell_owner(world, caller, container, "gave leave to idle to")
    return KeepView(container=await view(world, caller, container), until=until.isoformat(timespec="seconds"))


def _keep(books: Books, caller: Caller, name: str, until: datetime, now: datetime) -> Container:
    container = find(books, caller, name)
    _check_gpu(container, "It is never stopped for idling")
    if container.state not in (ContainerState.RUNNING, ContainerState.PAUSED):
        raise Ds01Error(
            WRONG_STATE, f"Container '{name}' does not run.", reason=f"It is {container.state.value}.",
            hint=f"ds01 start {name}",
        )  # fmt: skip
    kept = replace(container, kept_until=until)
    books.put_container(kept)
    tell(
        books, EventType.CONTAINER_KEPT, kept, at=now, actor=caller.actor, until=until.isoformat(timespec="seconds"),
        why=caller.reason,
    )  # fmt: skip
    return kept


def _check_gpu(container: Container, what: str) -> None:
    if not container.gpus:
        raise Ds01Error(
            WRONG_STATE, f"'{container.name}' has no GPU.",
            reason=f"{what}: limits of time are for containers with a GPU.", hint="ds01 list",
        )  # fmt: skip


def _left(world: World, container: Container, rule: Rule) -> timedelta | None:
    watched = world.memory.get(container.id)
    return None if watched is None else watched.standing.get(rule)
