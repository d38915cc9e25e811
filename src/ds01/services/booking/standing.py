"""What of all bookings binds now: what every pass and every grant takes into account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.queue import booking as rules
from ds01.domain.queue.booking import Booking, BookingId
from ds01.ports.ledger import Books

FOREVER = timedelta(days=3650)
"""How long a lease that has no end stands in the way."""


def standing(books: Books, unclaimed: timedelta, now: datetime) -> tuple[Booking, ...]:
    """Every booking that binds, with as many slots as are kept for it and those who may still have some."""
    found = (
        rules.standing(one, books.leases_of(one.id) if one.begins_at <= now else (), now, unclaimed)
        for one in books.bookings()
    )
    return tuple(one for one in found if one is not None)


def occupied(leases: Iterable[Lease], bookings: Iterable[Booking], now: datetime) -> tuple[Booking, ...]:
    """Leases that are of none of these bookings, as if each were one: its slots, until it must be over."""
    known = {one.id for one in bookings}
    return tuple(_as_booking(lease, now) for lease in leases if lease.booking not in known)


def _as_booking(lease: Lease, now: datetime) -> Booking:
    planned = lease.granted_at + lease.planned if lease.planned is not None else now + FOREVER
    until = lease.expires_at if lease.state is LeaseState.HELD and lease.expires_at is not None else planned
    return Booking(
        id=BookingId(f"lease:{lease.id}"), uid=lease.uid, epoch=lease.epoch, name=lease.name,
        ask=GpuAsk(count=len(lease.slots)), begins_at=min(lease.granted_at, now),
        ends_at=max(until, now + timedelta(seconds=1)), slots=lease.slots, claimed=frozenset(lease.slots),
    )  # fmt: skip
