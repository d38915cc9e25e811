"""Who gives way: work that yields to those who wait or who booked, chosen so that as little as possible is stopped.

Nothing is stopped in vain: work yields only where that makes room for somebody, whole; the youngest first, because it
loses least, but what was asked to yield before stays asked, and a GPU that is only kept for a stopped container goes
before all. Who yields herself makes nobody else yield, and waits behind everybody who does not. For a booking work
yields as late as its warning allows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from ds01.domain.gpu import Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import LeaseId, LeaseState
from ds01.domain.placement import fits
from ds01.domain.queue.booking import Booking, BookingId
from ds01.domain.queue.plan import Member, Owner, Plan, Server, Taken, Why
from ds01.domain.queue.request import Request, RequestId
from ds01.domain.queue.seating import seated

_NEVER = datetime.max.replace(tzinfo=UTC)

MOVED_BY_ROOM = (Why.FULL, Why.FAIR_SHARE, Why.HEAD)
"""Who waits for one of these would start if there were more room."""


def giving_way(
    plan: Plan, waiting: Mapping[RequestId, Request], server: Server, members: Mapping[Owner, Member], now: datetime,
    before: frozenset[LeaseId] = frozenset(),
) -> frozenset[LeaseId]:  # fmt: skip
    """The leases that are to end: for bookings that are near, and for those whom ``plan`` lets wait.

    ``before`` are those of the last time.
    """
    if not any(_yields(one, members) for one in server.taken):
        return frozenset()
    room = _Room(plan, server, members, before)
    for booking in sorted(server.bookings, key=lambda one: (one.begins_at, one.id)):
        room.keep(booking, now)
    for one in plan.order:
        request = waiting[one]
        member = members.get(Owner(request.uid, request.epoch), Member())
        if not member.yields and plan.reasons[one] in MOVED_BY_ROOM:
            room.make(request, member)
        if not room.left:
            break
    return frozenset(room.chosen)


class _Room:
    """What is free, and what becomes free as one after the other is given room."""

    def __init__(
        self, plan: Plan, server: Server, members: Mapping[Owner, Member], before: frozenset[LeaseId]
    ) -> None:  # fmt: skip
        given = {slot.id for start in plan.starts for slot in start.placed.slots}
        held = {slot for taken in server.taken for slot in taken.slots}
        divided = {slot.gpu for slot in server.slots if not slot.whole}
        ill = server.quarantined
        self._slots = [
            slot for slot in server.slots
            if slot.healthy(ill) and not (slot.whole and slot.gpu in divided)
        ]  # fmt: skip
        self._free = {slot.id for slot in self._slots} - given - held
        yielding = (one for one in server.taken if _yields(one, members))
        self._left = sorted(
            yielding,
            key=lambda one: (
                one.state is LeaseState.ACTIVE, one.lease not in before, -one.since.timestamp(), one.lease
            ),
        )  # fmt: skip
        self._server = server
        self._members = members
        self.chosen: set[LeaseId] = set()
        self._able_for: dict[tuple[GpuAsk, str], set[SlotId]] = {}

    @property
    def left(self) -> bool:
        """Whether there is anything that could still be asked to yield."""
        return bool(self._left)

    def keep(self, booking: Booking, now: datetime) -> None:
        """Room for what is booked, once those who yield must be told, if what yields makes room enough."""
        able = {slot.id for slot in self._slots if booking.could_use(slot)}
        near = [
            one for one in self._left
            if able.intersection(one.slots) and booking.begins_at - self._members[one.owner].notice <= now
        ]  # fmt: skip
        if not near or self._has(booking, ()) or not self._has(booking, near):
            return
        asked = list(near)
        for one in reversed(near):
            without = [other for other in asked if other is not one]
            asked = without if self._has(booking, without) else asked
        self._left = [one for one in self._left if one not in asked]
        self.chosen |= {LeaseId(one.lease) for one in asked}

    def _has(self, booking: Booking, ended: Collection[Taken]) -> bool:
        """Whether the booking has its slots when it begins, if these leases end."""
        known = {one.id for one in self._server.bookings}
        stays = [
            _standing(one) for one in self._server.taken
            if one not in ended and one.lease not in self.chosen and one.booking not in known
        ]  # fmt: skip
        found = seated([*self._server.bookings, *stays], self._slots)
        return booking.id not in {one.id for one in found.unseated}

    def make(self, request: Request, member: Member) -> None:
        """Room for this request, if there is enough that yields."""
        able = self._able(request, member)
        found = [slot for slot in sorted(self._free) if slot in able]
        asked = list(self._asked(able, request.ask.count - len(found)))
        found += [slot for one in asked for slot in one.slots if slot in able]
        if len(found) < request.ask.count:
            return
        self._left = [one for one in self._left if one not in asked]
        self.chosen |= {LeaseId(one.lease) for one in asked}
        self._free |= {slot for one in asked for slot in one.slots}
        self._free -= set(found[: request.ask.count])

    def _able(self, request: Request, member: Member) -> set[SlotId]:
        """The slots she could use: the same for all who ask for the same."""
        key = request.ask, member.mig
        if key not in self._able_for:
            self._able_for[key] = {slot.id for slot in self._slots if _able(slot, request, member)}
        return self._able_for[key]

    def _asked(self, able: set[SlotId], missing: int) -> Iterable[Taken]:
        for one in self._left:
            if missing <= 0:
                return
            useful = len(able.intersection(one.slots))
            if useful:
                missing -= useful
                yield one


def _yields(taken: Taken, members: Mapping[Owner, Member]) -> bool:
    """What is booked is nobody else's to have, and what is just starting is left to start."""
    yields = members.get(taken.owner, Member()).yields
    return yields and not taken.booking and taken.state is not LeaseState.RESERVED


def _standing(taken: Taken) -> Booking:
    """A lease as if it were a booking: its slots, until it must be over."""
    return Booking(
        id=BookingId(f"lease:{taken.lease}"), uid=taken.owner.uid, epoch=taken.owner.epoch, name="",
        ask=GpuAsk(count=len(taken.slots)), begins_at=taken.since, ends_at=taken.until or _NEVER,
        slots=taken.slots, claimed=frozenset(taken.slots),
    )  # fmt: skip


def _able(slot: Slot, request: Request, member: Member) -> bool:
    return fits(slot, request.ask) and (member.mig == "allowed" or slot.whole == (member.mig == "never"))
