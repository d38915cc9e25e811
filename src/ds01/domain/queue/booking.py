"""A booking: slots promised to somebody from one time to another, and whether more can be promised.

A booking names slots, or a number of slots of a kind. Which slots those are is decided anew in every pass
(``seated``), because what matters is that enough are free when it begins: bookings of one kind are intervals, and
intervals in the order of their begin never need more slots than overlap at one moment. The check for clashes is the
same function: what cannot be seated clashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NewType

from ds01.domain.gpu import Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.people import Uid
from ds01.domain.placement import fits

BookingId = NewType("BookingId", str)


@dataclass(frozen=True, kw_only=True)
class Booking:
    """``ask.count`` slots of a kind, or exactly ``slots``, from ``begins_at`` up to and without ``ends_at``.

    ``uids`` may use it (a person, or everybody of a class); ``uid`` made it. ``series`` ties the dates of a weekly
    booking together. ``claimed`` are slots of it that are in use by those it is for: they are not kept free any more.
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

    @property
    def count(self) -> int:
        """How many slots it is for."""
        return len(self.slots) or self.ask.count

    def overlaps(self, other: Booking) -> bool:
        """Whether there is a moment in both."""
        return self.begins_at < other.ends_at and other.begins_at < self.ends_at

    def binds(self, now: datetime, unclaimed: timedelta) -> bool:
        """Whether slots are still kept for it: it is not over, and somebody came within ``unclaimed`` of its begin."""
        return now < self.ends_at and (bool(self.claimed) or now - self.begins_at < unclaimed)

    def could_use(self, slot: Slot) -> bool:
        """Whether this slot is of the kind that was booked."""
        return slot.id in self.slots if self.slots else fits(slot, self.ask)


@dataclass(frozen=True, kw_only=True)
class Seating:
    """Which slots each booking has; ``unseated`` are those for which not enough were left."""

    slots: Mapping[BookingId, tuple[SlotId, ...]]
    unseated: tuple[Booking, ...] = ()


def seated(
    bookings: Iterable[Booking], slots: Sequence[Slot], free_from: Mapping[SlotId, datetime] | None = None
) -> Seating:
    """Give every booking its slots: those in use by it, those named by it, then the others in order of their begin.

    Each takes the slots that fewest others could use, and of those the ones ``free_from`` latest, so that what is
    free now stays free for who waits now.
    """
    order = sorted(bookings, key=lambda one: (not one.claimed, not one.slots, one.begins_at, one.ends_at, one.id))
    wanted = {slot.id: sum(one.could_use(slot) for one in order) for slot in slots}
    ends: dict[SlotId, list[Booking]] = {slot.id: [] for slot in slots}
    given: dict[BookingId, tuple[SlotId, ...]] = {}
    unseated: list[Booking] = []
    for one in order:
        able = [
            slot for slot in slots
            if one.could_use(slot) and not any(other.overlaps(one) for other in ends[slot.id])
        ]  # fmt: skip
        able.sort(key=lambda slot: _pull(slot, one, wanted, free_from or {}))
        chosen = tuple(slot.id for slot in able[: one.count])
        if len(chosen) < one.count:
            unseated.append(one)
        for slot in chosen:
            ends[slot].append(one)
        given[one.id] = chosen
    return Seating(slots=given, unseated=tuple(unseated))


def clashes(new: Booking, others: Iterable[Booking], slots: Sequence[Slot]) -> tuple[Booking, ...]:
    """The bookings that stand in the way of a new one; empty when all of them can be had together."""
    rivals = [other for other in others if other.id != new.id and _related(new, other, slots)]
    if not seated([*rivals, new], slots).unseated:
        return ()
    return tuple(sorted((one for one in rivals if one.overlaps(new)), key=lambda one: (one.begins_at, one.id)))


def _related(new: Booking, other: Booking, slots: Sequence[Slot]) -> bool:
    """Whether they could want the same slot; time is not looked at, since a chain of bookings connects all times."""
    return any(new.could_use(slot) and other.could_use(slot) for slot in slots)


def _pull(
    slot: Slot, one: Booking, wanted: Mapping[SlotId, int], free_from: Mapping[SlotId, datetime]
) -> tuple[bool, int, float, float, SlotId]:
    free = free_from.get(slot.id)
    late = free.timestamp() if free is not None and free <= one.begins_at else (0.0 if free is None else float("-inf"))
    return slot.id not in one.claimed, wanted[slot.id], float(slot.gpueq), -late, slot.id
