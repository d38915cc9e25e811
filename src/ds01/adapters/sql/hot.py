"""What every grant reads, decoded once and carried from one transaction to the next.

Turning rows into values was nine tenths of a grant. The values are frozen and a change makes a new ``Hot``, so
a transaction that fails simply drops its own; the database stays the judge of every write. ``None`` is not read yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from ds01.domain.container import Container, ContainerId
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.jobs.job import Job, JobId
from ds01.domain.lease import Lease, LeaseId
from ds01.domain.quarantine import Quarantine
from ds01.domain.queue.booking import Booking, BookingId
from ds01.domain.queue.plan import Owner
from ds01.domain.queue.request import Request, RequestId
from ds01.domain.queue.usage import Usage

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Slots:
    """Every slot there ever was: those that are there now, in order, and those that are not."""

    present: tuple[Slot, ...]
    absent: tuple[Slot, ...]

    @property
    def by_id(self) -> dict[SlotId, Slot]:
        """All of them."""
        return {slot.id: slot for slot in (*self.absent, *self.present)}


@dataclass(frozen=True, kw_only=True)
class Hot:
    """``open`` are the open leases, ``live`` the containers that were not removed, ``requests`` the open requests,
    ``jobs`` the open jobs, ``bookings`` those that stand, ``chain`` the number and hash of the last event. Of leases
    and requests that have ended some of the latest are here.
    """

    slots: Slots | None = None
    quarantines: tuple[Quarantine, ...] | None = None
    last_used: Mapping[SlotId, datetime] | None = None
    open: Mapping[LeaseId, Lease] | None = None
    live: Mapping[ContainerId, Container] | None = None
    requests: Mapping[RequestId, Request] | None = None
    jobs: Mapping[JobId, Job] | None = None
    bookings: Mapping[BookingId, Booking] | None = None
    usage: Mapping[Owner, Usage] | None = None
    chain: tuple[int, str] | None = None
    ended_leases: Mapping[LeaseId, Lease] = field(default_factory=dict)
    ended_requests: Mapping[RequestId, Request] = field(default_factory=dict)


LATELY = 256


def lately(known: Mapping[Key, Value], key: Key, value: Value) -> dict[Key, Value]:
    """With one more that has ended, and no more than the latest few: whoever carries on asks for them once more."""
    found = {**known, key: value}
    if len(found) > LATELY:
        del found[next(iter(found))]
    return found
