"""What of all bookings binds now: what every pass and every grant takes into account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ds01.domain.container import Door
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.people import Uid
from ds01.domain.queue import booking as rules
from ds01.domain.queue.booking import Booking, BookingId
from ds01.ports.ledger import Books
from ds01.services.limits import of_everybody
from ds01.services.world import World

FOREVER = timedelta(days=3650)
"""How long a lease that has no end stands in the way."""


def standing(books: Books, unclaimed: timedelta, now: datetime) -> tuple[Booking, ...]:
    """Every booking that binds, with as many slots as are kept for it and those who may still have some."""
    found = (
        rules.standing(one, books.leases_of(one.id) if one.begins_at <= now else (), now, unclaimed)
        for one in books.bookings()
    )
    return tuple(one for one in found if one is not None)


def occupied(
    leases: Iterable[Lease], bookings: Iterable[Booking], now: datetime, notices: Mapping[Uid, timedelta] | None = None
) -> tuple[Booking, ...]:  # fmt: skip
    """Leases that are of none of these bookings, as if each were one: its slots, until it must be over.

    ``notices`` is how soon what gives way can be asked to end, of those whose work does.
    """
    known, notices = {one.id for one in bookings}, notices or {}
    return tuple(
        _as_booking(lease, now, notices.get(lease.uid))
        for lease in leases
        if lease.booking not in known and not lease.outlives(now)
    )


async def notices(world: World) -> dict[Uid, timedelta]:
    """Of everybody who holds GPUs and gives way: how long before she is to be told."""
    holders = await world.ledger.read(lambda books: {(lease.uid, Door.DS01) for lease in books.open_leases()})
    found = await asyncio.to_thread(of_everybody, world, holders)
    every = {uid: limits for (uid, _), (_, limits) in found.items()}
    return {uid: limits.lead + limits.stop_grace for uid, limits in every.items() if limits.preemptible}


def _as_booking(lease: Lease, now: datetime, notice: timedelta | None) -> Booking:
    planned = lease.granted_at + lease.planned if lease.planned is not None else now + FOREVER
    held = lease.state is LeaseState.HELD and lease.expires_at is not None
    until = min(planned, lease.expires_at or planned) if held else planned
    if notice is not None and not lease.booking and lease.state is not LeaseState.RESERVED:
        until = min(until, now + notice)
    return Booking(
        id=BookingId(f"lease:{lease.id}"), uid=lease.uid, epoch=lease.epoch, name=lease.name,
        ask=GpuAsk(count=len(lease.slots)), begins_at=min(lease.granted_at, now),
        ends_at=max(until, now + timedelta(seconds=1)), slots=lease.slots, claimed=frozenset(lease.slots),
    )  # fmt: skip
