"""The end of a class: what is left of it is retired, packages noted down, workspaces untouched.

At its time DS01 does it by itself: what runs was planned to the end of the class, so it was warned and stopped by the
rules of lifecycle, and is removed here. An instructor who closes it early says so herself, and it is done at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from ds01.domain.container import Container, ContainerState
from ds01.domain.errors import Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.lease import LeaseId, LeaseState
from ds01.domain.queue.booking import Booking, BookingState, Kind
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.booking.cancel import give_up
from ds01.services.booking.own import opened
from ds01.services.booking.show import drawn
from ds01.services.caller import Caller, identify
from ds01.services.enforce.act import remove
from ds01.services.people import names, strangers
from ds01.services.retire import retire
from ds01.services.world import World
from ds01.wire.classes import ClassClosed
from ds01.wire.containers import RetireRequest

_log = logging.getLogger(__name__)

OVER = "its class is over"
CLOSED = "the class is closed"
SWEPT = timedelta(days=1)
"""For how long after its end a class is looked after."""
AT_ONCE = 4
"""How many containers are retired at the same time."""


async def close(
    world: World, caller: Caller, name: str, *, all_dates: bool = False, check_only: bool = False
) -> ClassClosed:  # fmt: skip
    """End the date that is on and retire what is left of it; with ``all_dates``, or before it begins, give up the rest.

    Raises Ds01Error (``booking.unknown``).
    """
    now = world.clock.now()
    found = await world.ledger.read(lambda books: opened(books, caller, name))
    on = [one for one in found if one.on(now)]
    coming = [one for one in found if not one.on(now)] if all_dates or not on else []
    left = await world.ledger.read(lambda books: _containers(books, on))
    others = await strangers(world.ledger, world.directory, lambda books: {c.uid for c in left})
    called = await world.ledger.read(lambda books: {c.uid: names(books, others)(c.uid) for c in left})
    left.sort(key=lambda each: (called[each.uid], each.name))
    dates = drawn(world, {caller.uid: caller.user.login}, [*on, *coming], caller)
    shown = tuple(f"{called[each.uid]}/{each.name}" for each in left)
    if check_only:
        return ClassClosed(name=name, retired=shown, dates=dates)
    await world.ledger.write(lambda books: _close(books, world, caller, on, coming))
    failed = await _retire(world, caller, left)
    return ClassClosed(
        name=name, dates=dates,
        retired=tuple(one for one, each in zip(shown, left, strict=True) if each not in failed),
        failed=tuple(one for one, each in zip(shown, left, strict=True) if each in failed),
    )  # fmt: skip


def _close(books: Books, world: World, caller: Caller, on: Sequence[Booking], coming: list[Booking]) -> None:
    now = world.clock.now()
    for one in on:
        books.put_booking(replace(one, state=BookingState.OVER, ended_at=now, reason=f"closed by {caller.actor_login}"))
        books.record(
            Event(
                at=now, type=EventType.BOOKING_ENDED, actor=caller.actor, uid=one.uid, subject=one.id,
                details={"name": one.name},
            )
        )  # fmt: skip
    if coming:
        give_up(books, world, caller, coming)


async def _retire(world: World, closer: Caller, left: Sequence[Container]) -> list[Container]:
    """Retire them, a few at a time, as the closer's act; those that could not be."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(container: Container) -> Container | None:
        async with room:
            try:
                acting = _acting(closer, await identify(world, container.uid))
                await retire(world, acting, container.name, RetireRequest(), note=True, over="class")
            except Ds01Error as error:
                _log.warning(
                    "a container of a class was not retired",
                    extra={"container": container.name, "uid": container.uid, "why": error.problem.message},
                )
                return container
        return None

    return [each for each in await asyncio.gather(*map(one, left)) if each is not None]


def _acting(closer: Caller, pupil: Caller) -> Caller:
    """The pupil, for whom an instructor acts, or an admin who closes somebody's class for her."""
    office = closer.office if closer.for_another else "instructor"
    reason = closer.reason or CLOSED
    return replace(pupil, actor=closer.actor, actor_login=closer.actor_login, office=office, reason=reason)


async def sweep(world: World) -> None:
    """What is left of bookings that are over: GPUs that are only held go back, stopped containers of classes go."""
    now = world.clock.now()
    over = await world.ledger.read(
        lambda books: [one for one in books.bookings(after=now - SWEPT) if one.state is BookingState.OVER]
    )
    if not over:
        return
    if await world.ledger.read(lambda books: _held(books, over)):
        await world.ledger.write(lambda books: [leases.release(books, each, OVER, now) for each in _held(books, over)])
    if not world.settings().bookings.sweep:
        return
    for container in await world.ledger.read(lambda books: _containers(books, over)):
        if container.state in (ContainerState.STOPPED, ContainerState.CREATING):
            try:
                await remove(world, container, OVER)
            except Ds01Error as error:
                _log.warning("a container of a class stays", extra={"why": error.problem.message})


def _held(books: Books, over: Sequence[Booking]) -> list[LeaseId]:
    """Asked where they are given back, too: a container may have started meanwhile."""
    of_these = [lease for one in over for lease in books.leases_of(one.id)]
    return [lease.id for lease in of_these if lease.state in (LeaseState.HELD, LeaseState.RESERVED)]


def _containers(books: Books, classes: Sequence[Booking]) -> list[Container]:
    """Containers that still hang on these classes: their last GPU was a seat."""
    seats = {lease.id for one in classes if one.kind is Kind.CLASS for lease in books.leases_of(one.id)}
    return [container for container in books.containers() if container.lease is not None and container.lease in seats]
