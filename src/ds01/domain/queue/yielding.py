"""Who gives way: running work that yields to those who wait, chosen so that as little as possible is stopped.

Nothing is stopped in vain: work yields only where that makes room for somebody, whole; the youngest first, because it
loses least, but what was asked to yield before stays asked. Who yields herself makes nobody else yield, and waits
behind everybody who does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ds01.domain.gpu import Slot, SlotId
from ds01.domain.lease import LeaseId
from ds01.domain.placement import fits
from ds01.domain.queue.plan import Member, Owner, Plan, Server, Taken, Why
from ds01.domain.queue.request import Request, RequestId

MOVED_BY_ROOM = (Why.FULL, Why.FAIR_SHARE, Why.HEAD)
"""Who waits for one of these would start if there were more room."""


def giving_way(
    plan: Plan, waiting: Mapping[RequestId, Request], server: Server, members: Mapping[Owner, Member],
    before: frozenset[LeaseId] = frozenset(),
) -> frozenset[LeaseId]:  # fmt: skip
    """The leases that are to end for those whom ``plan`` lets wait; ``before`` are those of the last time."""
    room = _Room(plan, server, members, before)
    for one in plan.order:
        request = waiting[one]
        member = members.get(Owner(request.uid, request.epoch), Member())
        if not member.yields and plan.reasons[one] in MOVED_BY_ROOM:
            room.make(request, member)
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
            if slot.id not in ill and slot.gpu not in ill and not (slot.whole and slot.gpu in divided)
        ]  # fmt: skip
        self._free = {slot.id for slot in self._slots} - given - held
        yielding = (one for one in server.taken if _yields(one, members))
        self._left = sorted(yielding, key=lambda one: (one.lease not in before, -one.since.timestamp(), one.lease))
        self.chosen: set[LeaseId] = set()

    def make(self, request: Request, member: Member) -> None:
        """Room for this request, if there is enough that yields."""
        able = {slot.id for slot in self._slots if _able(slot, request, member)}
        found = [slot for slot in sorted(self._free) if slot in able]
        asked = list(self._asked(able, request.ask.count - len(found)))
        found += [slot for one in asked for slot in one.slots if slot in able]
        if len(found) < request.ask.count:
            return
        self._left = [one for one in self._left if one not in asked]
        self.chosen |= {LeaseId(one.lease) for one in asked}
        self._free |= {slot for one in asked for slot in one.slots}
        self._free -= set(found[: request.ask.count])

    def _asked(self, able: set[SlotId], missing: int) -> Iterable[Taken]:
        for one in self._left:
            if missing <= 0:
                return
            useful = len(able.intersection(one.slots))
            if useful:
                missing -= useful
                yield one


def _yields(taken: Taken, members: Mapping[Owner, Member]) -> bool:
    """What is booked is nobody else's to have."""
    return members.get(taken.owner, Member()).yields and not taken.booking


def _able(slot: Slot, request: Request, member: Member) -> bool:
    return fits(slot, request.ask) and (member.mig == "allowed" or slot.whole == (member.mig == "never"))
