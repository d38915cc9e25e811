"""A booking: slots promised to somebody from one time to another, and whether more can be promised.

A booking names slots, or a number of slots of a kind. Which slots those are is decided anew in every pass
(``seating.seated``), because what matters is that enough are free when it begins. The check for clashes asks the same
function: what cannot be seated clashes.

What nobody came for goes back: after a while only what is in use is kept, and for whoever left a moment ago.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from ds01.domain.gpu import Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import Lease
from ds01.domain.people import Uid
from ds01.domain.placement import fits

BookingId = NewType("BookingId", str)


class Kind(StrEnum):
    """For whom it is."""

    OWN = "own"
    """For the one who made it."""
    GROUP = "group"
    """For the members of a group of the server."""
    CLASS = "class"
    """For those on a roster, one seat each."""


class BookingState(StrEnum):
    """Where a booking is in its life; whether it has begun the clock says."""

    BOOKED = "booked"
    OVER = "over"
    CANCELLED = "cancelled"
    RELEASED = "released"
    """Nobody came, so its GPUs went back."""


@dataclass(frozen=True, kw_only=True)
class Booking:
    """``ask.count`` slots of a kind, or exactly ``slots``, from ``begins_at`` up to and without ``ends_at``.

    ``uids`` may use it (a person, or everybody of a class); ``uid`` made it. ``series`` ties the dates of a weekly
    booking together. ``claimed`` are slots of it that are in use by those it is for: they are not kept free any more.
    ``each`` is how many slots one person may have of it (None: all), ``keep`` how long it waits for somebody to come
    (None: as long as the server's rules say). ``group`` is where its people come from, ``image`` what a class uses.
    ``told`` is how many slots were kept when that was last recorded.
    """

    id: BookingId
    uid: Uid
    epoch: int
    name: str
    ask: GpuAsk
    begins_at: datetime
    ends_at: datetime
    slots: tuple[SlotId, ...] = ()
    uids: frozenset[Uid] = field(default_factory=frozenset)
    series: str = ""
    claimed: frozenset[SlotId] = field(default_factory=frozenset)
    kind: Kind = Kind.OWN
    each: int | None = None
    keep: timedelta | None = None
    group: str = ""
    image: str = ""
    state: BookingState = BookingState.BOOKED
    made_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    told: int | None = None

    @property
    def count(self) -> int:
        """How many slots it is for."""
        return len(self.slots) or self.ask.count

    @property
    def length(self) -> timedelta:
        """From begin to end."""
        return self.ends_at - self.begins_at

    @property
    def share(self) -> int:
        """How many slots one person may have of it."""
        return self.count if self.each is None else self.each

    def on(self, now: datetime) -> bool:
        """Whether it has begun and is not over."""
        return self.state is BookingState.BOOKED and self.begins_at <= now < self.ends_at

    def overlaps(self, other: Booking) -> bool:
        """Whether there is a moment in both."""
        return self.begins_at < other.ends_at and other.begins_at < self.ends_at

    def waits(self, unclaimed: timedelta) -> timedelta:
        """How long it waits for somebody to come."""
        return unclaimed if self.keep is None else self.keep

    def binds(self, now: datetime, unclaimed: timedelta) -> bool:
        """Whether slots are still kept for it: it is not over, and somebody came in time."""
        return now < self.ends_at and (bool(self.claimed) or now - self.begins_at < self.waits(unclaimed))

    def could_use(self, slot: Slot) -> bool:
        """Whether this slot is of the kind that was booked."""
        return slot.id in self.slots if self.slots else fits(slot, self.ask)


def kept(booking: Booking, leases: Iterable[Lease], now: datetime, unclaimed: timedelta) -> int:
    """How many slots are kept for it now, those in use included. ``leases`` are all it ever had."""
    wait, leases = booking.waits(unclaimed), tuple(leases)
    if now - booking.begins_at < wait:
        return booking.count
    used = in_use(leases)
    back = {lease.uid for lease in leases if lease.ended_at is not None and now - lease.ended_at < wait}
    returning = sum(max(0, booking.share - used[uid]) for uid in back)
    return min(booking.count, sum(used.values()) + returning)


def in_use(leases: Iterable[Lease]) -> Counter[Uid]:
    """How many slots each person has of it."""
    used: Counter[Uid] = Counter()
    for lease in leases:
        if lease.state.open:
            used[lease.uid] += len(lease.slots)
    return used


def standing(booking: Booking, leases: Iterable[Lease], now: datetime, unclaimed: timedelta) -> Booking | None:
    """What of a booking binds now, as the pass is told it: as many slots as are kept, and who may still have some.

    None when nothing is kept any more. ``leases`` are all it ever had.
    """
    if booking.state is not BookingState.BOOKED or now >= booking.ends_at:
        return None
    if now < booking.begins_at:
        return booking
    leases = tuple(leases)
    count, used = kept(booking, leases, now, unclaimed), in_use(leases)
    if not count:
        return None
    claimed = frozenset(slot for lease in leases if lease.state.open for slot in lease.slots)
    may = frozenset(uid for uid in booking.uids if used[uid] < booking.share) if count > len(claimed) else frozenset()
    return replace(booking, ask=replace(booking.ask, count=count), claimed=claimed, uids=may, keep=booking.length)
