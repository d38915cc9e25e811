"""Which slots each booking has, and so what can be promised together: exact, whatever kinds of slots there are.

Of one kind, bookings are intervals, and intervals in the order of their begin never need more slots than overlap at
one moment: taking them in that order is enough. With several kinds a wrong choice may leave another booking without.
So the quick way is tried first, and where it leaves somebody out, all ways are: what matters of a slot is only which
bookings could use it, so few choices differ. Bookings that touch through no chain of others are looked at apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ds01.domain.gpu import Slot, SlotId
from ds01.domain.queue.booking import Booking, BookingId

MOST_STEPS = 2_000
"""Ways looked at before it is taken for impossible: a promise that takes longer to find is not made."""


class Alike(NamedTuple):
    """Which bookings could use a slot, and which one uses it now: where both are the same, slots are alike."""

    able: frozenset[BookingId]
    held: BookingId | None


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
    given: dict[BookingId, tuple[SlotId, ...]] = {}
    unseated: list[Booking] = []
    for together in spells(bookings):
        found = _quick(together, slots, free_from or {})
        if found.unseated:
            found = _thorough(together, slots) or found
        given |= found.slots
        unseated += found.unseated
    return Seating(slots=given, unseated=tuple(unseated))


def clashes(new: Booking, others: Iterable[Booking], slots: Sequence[Slot]) -> tuple[Booking, ...]:
    """The bookings that stand in the way of a new one; empty when all of them can be had together."""
    rivals = [other for other in others if other.id != new.id and _related(new, other, slots)]
    if possible(new, rivals, slots):
        return ()
    return tuple(sorted((one for one in rivals if one.overlaps(new)), key=lambda one: (one.begins_at, one.id)))


def possible(new: Booking, others: Iterable[Booking], slots: Sequence[Slot]) -> bool:
    """Whether a new booking can be had and takes from no other what that has. Who lacks slots anyway loses nothing."""
    around = _around(new, others)
    after = {one.id for one in seated(around, slots).unseated}
    before = [one for one in around if one.id != new.id]
    return not after or after <= {one.id for one in seated(before, slots).unseated}


def spells(bookings: Iterable[Booking]) -> Iterator[list[Booking]]:
    """The bookings in groups that no chain of overlaps connects, in order of begin."""
    group: list[Booking] = []
    until: datetime | None = None
    for one in sorted(bookings, key=lambda one: (one.begins_at, one.ends_at, one.id)):
        if until is not None and one.begins_at >= until:
            yield group
            group, until = [], None
        group.append(one)
        until = one.ends_at if until is None else max(until, one.ends_at)
    if group:
        yield group


def _around(new: Booking, others: Iterable[Booking]) -> list[Booking]:
    """The new one with all that a chain of overlaps connects with it: nothing else can be in its way."""
    everything = [*others, new]
    return next(group for group in spells(everything) if any(one.id == new.id for one in group))


def _related(new: Booking, other: Booking, slots: Sequence[Slot]) -> bool:
    """Whether they could want the same slot; time is not looked at, since a chain of bookings connects all times."""
    return any(new.could_use(slot) and other.could_use(slot) for slot in slots)


# one after the other -----------------------------------------------------------------------------------
def _quick(bookings: Sequence[Booking], slots: Sequence[Slot], free_from: Mapping[SlotId, datetime]) -> Seating:
    order = sorted(bookings, key=lambda one: (not one.claimed, not one.slots, one.begins_at, one.ends_at, one.id))
    wanted = {slot.id: sum(one.could_use(slot) for one in order) for slot in slots}
    ends: dict[SlotId, list[Booking]] = {slot.id: [] for slot in slots}
    given: dict[BookingId, tuple[SlotId, ...]] = {}
    unseated: list[Booking] = []
    for one in order:
        able = [
            slot for slot in slots
            if (one.could_use(slot) or slot.id in one.claimed)
            and not any(other.overlaps(one) for other in ends[slot.id])
        ]  # fmt: skip
        able.sort(key=lambda slot: _pull(slot, one, wanted, free_from))
        chosen = tuple(slot.id for slot in able[: one.count])
        if len(chosen) < one.count:
            unseated.append(one)
        for slot in chosen:
            ends[slot].append(one)
        given[one.id] = chosen
    return Seating(slots=given, unseated=tuple(unseated))


def _pull(
    slot: Slot, one: Booking, wanted: Mapping[SlotId, int], free_from: Mapping[SlotId, datetime]
) -> tuple[bool, int, float, float, SlotId]:
    free = free_from.get(slot.id)
    late = free.timestamp() if free is not None and free <= one.begins_at else (0.0 if free is None else float("-inf"))
    return slot.id not in one.claimed, wanted[slot.id], slot.size, -late, slot.id


# all ways ----------------------------------------------------------------------------------------------
def _thorough(bookings: Sequence[Booking], slots: Sequence[Slot]) -> Seating | None:
    """A way for all of them, if there is one."""
    alike: dict[Alike, list[SlotId]] = {}
    for slot in slots:
        able = frozenset(one.id for one in bookings if one.could_use(slot) or slot.id in one.claimed)
        held = next((one.id for one in bookings if slot.id in one.claimed), None)
        alike.setdefault(Alike(able, held), []).append(slot.id)
    sizes = {kind: len(ids) for kind, ids in alike.items()}
    if not all(_enough(bookings, sizes, moment.begins_at) for moment in bookings):
        return None
    counts = _Ways(bookings, sizes).find()
    return None if counts is None else _named(bookings, alike, counts)


def _enough(bookings: Sequence[Booking], sizes: Mapping[Alike, int], at: datetime) -> bool:
    """Whether there are slots enough for all that overlap at one moment, were there no other moment.

    It is what usually fails when something does, and quick to see.
    """
    now = [one for one in bookings if one.begins_at <= at < one.ends_at]
    moment = _Moment(now, dict(sizes))
    return all(moment.serve(number) for number in range(len(now)))


class _Moment:
    """Gives out as many slots as can be: whoever comes last may move those before to slots of another sort."""

    def __init__(self, bookings: Sequence[Booking], left: dict[Alike, int]) -> None:
        self._bookings = bookings
        self._left = left
        self._given: dict[tuple[int, Alike], int] = {}

    def serve(self, number: int) -> bool:
        """Whether this one gets all it needs."""
        missing = self._bookings[number].count
        while missing:
            found = self._found(number, missing, set())
            if not found:
                return False
            missing -= found
        return True

    def _found(self, number: int, wanted: int, seen: set[Alike]) -> int:
        """How many of ``wanted`` slots were found at once, possibly moving others; 0 when there are none."""
        one = self._bookings[number].id
        able = (kind for kind in self._left if one in kind.able and kind.held in (None, one))
        for kind in able:
            if kind in seen:
                continue
            seen.add(kind)
            found = min(wanted, self._left[kind])
            self._left[kind] -= found
            found = found or self._freed(kind, wanted, seen)
            if found:
                self._given[number, kind] = self._given.get((number, kind), 0) + found
                return found
        return 0

    def _freed(self, kind: Alike, wanted: int, seen: set[Alike]) -> int:
        """How many slots of a sort another one could do without."""
        for other, sort in list(self._given):
            if sort == kind and self._given[other, sort]:
                found = self._found(other, min(wanted, self._given[other, sort]), seen)
                self._given[other, sort] -= found
                if found:
                    return found
        return 0


class _Ways:
    """Looks for how many slots of which sort each booking gets. Bookings in order of begin."""

    def __init__(self, bookings: Sequence[Booking], sizes: Mapping[Alike, int]) -> None:
        self._bookings = bookings
        self._kinds = tuple(sizes)
        self._sizes = tuple(sizes.values())
        self._dead: set[tuple[int, tuple[tuple[int, tuple[int, ...]], ...]]] = set()
        self._steps = 0

    def find(self) -> list[tuple[int, ...]] | None:
        """For each booking how many of each sort, or None."""
        chosen: list[tuple[int, ...]] = []
        return chosen if self._place(0, chosen) else None

    def _place(self, number: int, chosen: list[tuple[int, ...]]) -> bool:
        if number == len(self._bookings):
            return True
        one = self._bookings[number]
        busy = [(index, counts) for index, counts in enumerate(chosen) if self._bookings[index].ends_at > one.begins_at]
        key = (number, tuple(sorted((self._rank(index), counts) for index, counts in busy)))
        if key in self._dead or self._steps > MOST_STEPS:
            return False
        self._steps += 1
        taken = [sum(column) for column in zip(*(counts for _, counts in busy), strict=True)] or [0] * len(self._kinds)
        room = [
            size - used if self._may(one, kind) else 0
            for kind, size, used in zip(self._kinds, self._sizes, taken, strict=True)
        ]
        for counts in self._splits(one, room):
            chosen.append(counts)
            if self._place(number + 1, chosen):
                return True
            chosen.pop()
        self._dead.add(key)
        return False

    def _rank(self, index: int) -> int:
        """Bookings that end at the same time are one as good as the other from then on."""
        return sum(one.ends_at < self._bookings[index].ends_at for one in self._bookings)

    def _may(self, one: Booking, kind: Alike) -> bool:
        """Whether it may have slots of this sort: not those another one uses that is not over by then."""
        if kind.held is None or kind.held == one.id:
            return one.id in kind.able
        holder = next(other for other in self._bookings if other.id == kind.held)
        return one.id in kind.able and holder.ends_at <= one.begins_at

    def _splits(self, one: Booking, room: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """Ways to take as many as it needs: what it uses already, then those that fewest others could use."""
        own = {kind: room[kind] for kind in range(len(room)) if self._kinds[kind].held == one.id}
        order = sorted(set(range(len(room))) - set(own), key=lambda kind: len(self._kinds[kind].able))
        for parts in _parts(one.count - sum(own.values()), [room[kind] for kind in order]):
            split = [own.get(kind, 0) for kind in range(len(room))]
            for kind, part in zip(order, parts, strict=True):
                split[kind] = part
            yield tuple(split)


def _parts(count: int, room: Sequence[int]) -> Iterator[tuple[int, ...]]:
    if not room:
        if not count:
            yield ()
        return
    rest = sum(room[1:])
    for first in range(min(count, room[0]), max(0, count - rest) - 1, -1):
        for others in _parts(count - first, room[1:]):
            yield first, *others


def _named(
    bookings: Sequence[Booking], alike: Mapping[Alike, Sequence[SlotId]], counts: Sequence[tuple[int, ...]]
) -> Seating:
    """The slots behind the numbers: of a sort those that are free, which are enough."""
    given: dict[BookingId, tuple[SlotId, ...]] = {}
    for one, split in zip(bookings, counts, strict=True):
        busy = Counter(
            slot for other in bookings if other.id in given and other.overlaps(one) for slot in given[other.id]
        )
        chosen: list[SlotId] = []
        for ids, count in zip(alike.values(), split, strict=True):
            chosen += [slot for slot in ids if not busy[slot]][:count]
        given[one.id] = tuple(chosen)
    return Seating(slots=given)
