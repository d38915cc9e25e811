"""Taking one's part of a booking that has begun: at once, past the queue and on top of the quota.

The slots are promised: whoever the booking is for gets hers when she launches, through whichever door. A seat of a
class is for a container with the name of the class, so that nothing else of hers takes it by chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ds01.domain.events import Event, EventType
from ds01.domain.image import with_tag
from ds01.domain.lease import Lease, LeaseId
from ds01.domain.people import Uid
from ds01.domain.placement import Inventory, Placed, place
from ds01.domain.queue import booking as rules
from ds01.domain.queue.booking import Booking, BookingId, Kind, in_use
from ds01.domain.queue.request import Request
from ds01.domain.queue.seating import seated
from ds01.ports.ledger import Books
from ds01.services.booking.standing import occupied
from ds01.services.lease import Want


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Slots somebody may have now because they are booked for her, and until when."""

    booking: Booking
    placed: Placed

    def planned(self, asked: timedelta | None, now: datetime) -> timedelta:
        """How long it may be in use: no longer than the booking."""
        left = self.booking.ends_at - now
        return left if asked is None else min(asked, left)


def seat(
    books: Books, want: Want, unclaimed: timedelta, now: datetime, instead_of: LeaseId | None = None
) -> Seat | None:
    """What is booked for her and fits what she asks for; ``instead_of`` is a lease that would be over then."""
    begun = [one for one in books.bookings() if one.on(now)]
    if not any(meant(one, want.user.uid, want.name) for one in begun):
        return None
    leases = {one.id: [lease for lease in books.leases_of(one.id) if lease.id != instead_of] for one in begun}
    binding = [found for one in begun if (found := rules.standing(one, leases[one.id], now, unclaimed)) is not None]
    ill = books.quarantined()
    slots = [slot for slot in books.slots(vanished=False) if slot.healthy(ill)]
    open_ = [lease for lease in books.open_leases() if lease.id != instead_of]
    taken = {slot for lease in open_ if not lease.outlives(now) for slot in lease.slots}
    given = seated([*binding, *occupied(open_, binding, now)], slots).slots
    for one in binding:
        left = one.share - in_use(leases[one.id])[want.user.uid]
        if not meant(one, want.user.uid, want.name) or left < want.ask.count:
            continue
        free = tuple(slot for slot in slots if slot.id in given[one.id] and slot.id not in taken)
        match place(want.ask, Inventory(slots=free, last_used=books.last_used(), preferred=want.preferred)):
            case Placed() as chosen:
                return Seat(booking=one, placed=chosen)
            case _:
                continue
    return None


def meant(booking: Booking, uid: Uid, name: str) -> bool:
    """Whether a container of hers with this name may use the booking."""
    return uid in booking.uids and (booking.kind is not Kind.CLASS or name == booking.name)


def in_line(bookings: Iterable[Booking], waiting: Sequence[Request]) -> tuple[Booking, ...]:
    """The bookings as the queue may use them: a class is there for those who wait for their seat, nobody else."""
    return tuple(
        replace(one, uids=frozenset(request.uid for request in waiting if meant(one, request.uid, request.name)))
        if one.kind is Kind.CLASS
        else one
        for one in bookings
    )


def within(books: Books, booking: str, planned: timedelta | None, now: datetime) -> timedelta | None:
    """How long something may be in use that is part of a booking, if it is of one."""
    found = books.booking(BookingId(booking)) if booking else None
    if found is None:
        return planned
    left = max(timedelta(minutes=1), found.ends_at - now)
    return left if planned is None else min(planned, left)


def sat(books: Books, lease: Lease, now: datetime) -> None:
    """Somebody took her part of a booking: write it down."""
    if not lease.booking:
        return
    found = books.booking(BookingId(lease.booking))
    labels = [slot.label for slot in books.slots() if slot.id in lease.slots]
    books.record(
        Event(
            at=now, type=EventType.BOOKING_CLAIMED, actor=lease.uid, uid=lease.uid, subject=lease.booking,
            details={
                "name": found.name if found is not None else lease.booking, "container": lease.name,
                "slots": ", ".join(labels), "lease": lease.id,
            },
        )
    )  # fmt: skip


def class_of(books: Books, uid: Uid, name: str, now: datetime) -> Booking | None:
    """The class that a launch of this name is for, while it is on."""
    found = (one for one in books.bookings() if one.kind is Kind.CLASS and one.on(now))
    return next((one for one in found if meant(one, uid, name)), None)


def lenders(books: Books, uid: Uid, reference: str) -> tuple[Booking, ...]:
    """The classes somebody is in whose image is called so: she may use what it means to those who opened them."""
    return tuple(one for one in books.bookings() if one.image == with_tag(reference) and uid in one.uids and one.image)
