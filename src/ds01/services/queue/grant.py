"""The one way to a lease: what is kept for the name, else what is free and nobody has a better right to.

Somebody who comes now is judged together with everybody who waits, by the same pass: she gets slots at once only if
that pass would start her first. So no door, and no luck with the moment, leads past the queue.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ds01.domain import refusal
from ds01.domain.errors import GPU_FULL, NAME_TAKEN, REQUEST_OTHER, Ds01Error
from ds01.domain.gpu_ask import GpuAsk, flags
from ds01.domain.lease import Lease, LeaseId
from ds01.domain.placement import Placed
from ds01.domain.queue.plan import Plan, Why
from ds01.domain.queue.request import Request, RequestId, RequestState
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.booking.seat import Seat, sat, seat
from ds01.services.lease import Want
from ds01.services.queue import turn
from ds01.services.queue.line import member
from ds01.services.queue.scene import Scene, scene, waiting
from ds01.services.world import World

ASKING = RequestId("asking")
"""The id of somebody who asks now and has no place yet, within one pass."""


def grant(books: Books, world: World, want: Want, now: datetime) -> Lease:
    """Lease slots for ``want``, reserved until its container starts.

    A place that waits under this name for something else is given up when she gets what she asks for now. Raises
    Ds01Error: ``gpu.quota``, ``gpu.impossible``, ``request.other``, or ``gpu.full`` when nothing that fits is free or
    others go first.
    """
    turn.settle(books, now)
    own = _own(books, want)
    kept = _kept(books, own, want.ask)
    if kept is not None:
        return turn.prolong(books, kept, now)
    booked = seat(books, want, world.settings().queue.unclaimed, now)
    if booked is not None:
        return _sit(books, world, want, own, booked, now)
    chosen = _chance(books, world, want, own, now)
    if own is not None and own.ask == want.ask:
        mine = shorter(own, want.planned)
        return turn.prolong(books, turn.take_turn(books, mine, chosen, world.settings().queue, now), now)
    if own is not None:
        turn.give_up(books, own, now, actor=None, reason=f"{flags(want.ask)} was free at once")
    return leases.put(books, want.owner, want.name, chosen, now, planned=want.planned)


def check(books: Books, world: World, want: Want, now: datetime, instead_of: LeaseId | None) -> None:
    """Raise what a grant would raise, were the lease ``instead_of`` over: before what holds it is given up."""
    own = _own(books, want)
    if want.ask.count and _kept(books, own, want.ask) is None:
        if seat(books, want, world.settings().queue.unclaimed, now, instead_of) is not None:
            return
        _chance(books, world, want, own, now, instead_of)


def _own(books: Books, want: Want) -> Request | None:
    """Her place under this name. Raises Ds01Error (``name.taken``) when it is a job's, which takes it itself."""
    own = turn.named(books, want.owner, want.name)
    if own is not None and not own.interactive:
        raise taken_by_job(own.name)
    return own


def taken_by_job(name: str) -> Ds01Error:
    """A job has this name until it ends."""
    return Ds01Error(
        NAME_TAKEN, f"'{name}' is a job of yours that waits.", reason="A name is for one container.",
        hint=f"Choose another --name, or give the job up: ds01 cancel {name}",
    )  # fmt: skip


def _sit(
    books: Books, world: World, want: Want, own: Request | None, booked: Seat, now: datetime
) -> Lease:  # fmt: skip
    """What is booked for her is hers at once; a place under this name is not needed any more."""
    booking = booked.booking.id
    if own is not None and own.ask == want.ask:
        mine, rules = shorter(own, want.planned), world.settings().queue
        return turn.prolong(books, turn.take_turn(books, mine, booked.placed, rules, now, booking), now)
    if own is not None:
        turn.give_up(books, own, now, actor=None, reason=f"{flags(want.ask)} was booked for it")
    usual = want.planned == want.limits.runtime
    planned = booked.planned(None if usual else want.planned, now)
    lease = leases.put(books, want.owner, want.name, booked.placed, now, planned=planned, booking=booking)
    sat(books, lease, now)
    return lease


def shorter(own: Request, planned: timedelta | None) -> Request:
    """Her place with a shorter time, if it is one: that is never worse for others. A longer one would be."""
    if planned is None or (own.planned is not None and own.planned <= planned):
        return own
    return replace(own, planned=planned)


def _kept(books: Books, own: Request | None, ask: GpuAsk) -> Lease | None:
    """The lease that is kept for this name."""
    lease = books.lease(own.lease) if own is not None and own.lease is not None else None
    if own is None or lease is None or not lease.state.open:
        return None
    if own.ask != ask:
        raise other(own)
    return lease


def other(own: Request) -> Ds01Error:
    """She waits under this name for something else."""
    what = "is kept" if own.state is RequestState.RESERVED else "waits already"
    return Ds01Error(
        REQUEST_OTHER, f"'{own.name}' {what} for {flags(own.ask)}.",
        reason="A name has one place in the queue, for one request.",
        hint=f"Give that up first: ds01 cancel {own.name}",
    )  # fmt: skip


def _chance(
    books: Books, world: World, want: Want, own: Request | None, now: datetime, instead_of: LeaseId | None = None
) -> Placed:
    """The slots she gets now. Raises Ds01Error, with the place she has or would have."""
    others = [request for request in waiting(books) if own is None or request.id != own.id]
    me = shorter(own, want.planned) if own is not None and own.ask == want.ask else _asking(want, now)
    try:
        chosen = leases.placed(books, want, now, instead_of)
    except Ds01Error as error:
        if error.kind is not GPU_FULL:
            raise
        seen = _scene(books, world, want, now, instead_of)
        told = seen.explain([*others, me], [me.id], world.line.ranges).get(me.id)
        raise refusal.in_line(error.problem, me, told, now, waits=me.id != ASKING) from error
    if not others and not books.bookings():
        return chosen
    seen = _scene(books, world, want, now, instead_of)
    plan = seen.plan([*others, me])
    start = next((start for start in plan.starts if start.request == me.id), None)
    if start is None:
        told = seen.explain([*others, me], [me.id], world.line.ranges).get(me.id)
        if plan.reasons.get(me.id) is Why.BOOKING:
            raise refusal.booked(me, told, now, waits=me.id != ASKING)
        raise refusal.others_first(me, told, now, waits=me.id != ASKING)
    if seen.server.bookings:
        return start.placed
    return chosen if _harmless(chosen, want, plan, me.id) else start.placed


def _scene(books: Books, world: World, want: Want, now: datetime, instead_of: LeaseId | None) -> Scene:
    """The server as she finds it, with her in it."""
    seen = scene(books, world.line, world.settings().queue, now, without=instead_of)
    return seen.knowing(want.owner, member(want.limits))


def _asking(want: Want, now: datetime) -> Request:
    """Somebody who has no place yet."""
    return Request(
        id=ASKING, uid=want.user.uid, epoch=want.epoch, name=want.name, ask=want.ask, submitted_at=now,
        planned=want.planned, priority=want.limits.priority,
    )  # fmt: skip


def _harmless(chosen: Placed, want: Want, plan: Plan, me: RequestId) -> bool:
    """Whether she may have the very slots she had before: nobody else gets them now, or is next for them."""
    mine = {slot.id for slot in chosen.slots}
    if mine != set(want.preferred):
        return False
    given = {slot.id for start in plan.starts if start.request != me for slot in start.placed.slots}
    return not mine & given and not (plan.head is not None and mine & set(plan.head.slots))
