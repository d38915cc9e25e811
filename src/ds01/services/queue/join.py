"""Getting a place in the queue. What no wait would mend is refused at once, as a grant refuses it.

What somebody waits for counts against her quota as what she has does: a place is a promise of slots she may hold.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from ds01.domain import refusal
from ds01.domain.errors import BAD_REQUEST, GPU_FULL, Ds01Error
from ds01.domain.events import EventType
from ds01.domain.gpu_ask import flags
from ds01.domain.limits import Limits
from ds01.domain.placement import Full, Impossible, Inventory, OverBudget, Placed, cheapest, place
from ds01.domain.quantity import show_duration
from ds01.domain.queue.request import Request, RequestId, RequestState
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.lease import Want
from ds01.services.moments import lasting
from ds01.services.queue import turn
from ds01.services.queue.grant import other, shorter, taken_by_job


def join(books: Books, want: Want, now: datetime, *, order: str, wait_until: datetime | None = None) -> Request:
    """A place for ``want``, or the one she has under this name already.

    ``order`` is what to do when it is claimed; ``wait_until`` is when she gives up by herself. Raises Ds01Error
    ``gpu.quota``, ``gpu.impossible`` or ``request.other``.
    """
    own = turn.named(books, want.owner, want.name)
    if own is not None and not own.interactive:
        raise taken_by_job(own.name)
    if own is not None and own.ask != want.ask:
        raise other(own)
    if own is not None:
        return _again(books, shorter(own, want.planned), order, wait_until)
    _check(books, want, now)
    request = Request(
        id=RequestId(f"request-{secrets.token_hex(8)}"), uid=want.user.uid, epoch=want.epoch, name=want.name,
        ask=want.ask, submitted_at=now, planned=want.planned, priority=want.limits.priority, wait_until=wait_until,
        order=order,
    )  # fmt: skip
    books.put_request(request)
    planned = "" if want.planned is None else show_duration(want.planned)
    turn.record(books, EventType.QUEUE_JOINED, request, now, asked=flags(want.ask), planned=planned)
    return request


def enqueue(books: Books, want: Want, now: datetime, since: datetime) -> Request:
    """A place for a job, which starts by itself when its turn comes. It counts from ``since``."""
    request = Request(
        id=RequestId(f"request-{secrets.token_hex(8)}"), uid=want.user.uid, epoch=want.epoch, name=want.name,
        ask=want.ask, submitted_at=since, planned=want.planned, priority=want.limits.priority, interactive=False,
    )  # fmt: skip
    books.put_request(request)
    planned = "" if want.planned is None else show_duration(want.planned)
    turn.record(books, EventType.QUEUE_JOINED, request, now, asked=flags(want.ask), planned=planned)
    return request


def check_ever(books: Books, want: Want) -> None:
    """Raise what no wait would mend: more than the server has, or more than she may ever have. Ds01Error."""
    ask, limits = want.ask, want.limits
    leases.check_count(books, want)
    match place(ask, leases.inventory(books, (), limits), limits.gpus_max):
        case Impossible() as decision:
            raise refusal.impossible(ask, decision)
        case OverBudget(cost=cost):
            raise refusal.over_quota(ask, cost, (), limits)
        case Placed() | Full():
            return


def planned(limits: Limits, seconds: int | None) -> timedelta | None:
    """The longest it may run: what was asked for, else the limit. Raises Ds01Error for more than the limit."""
    if seconds is None:
        return limits.runtime
    asked = lasting(seconds)
    if limits.runtime is not None and asked > limits.runtime:
        most = show_duration(limits.runtime)
        raise Ds01Error(
            BAD_REQUEST, f"A container of yours may run {most} with a GPU, and you asked for {show_duration(asked)}.",
            reason=f"runtime is {most} ({limits.sources['runtime'].source})", hint=f"Ask for less: --time {most}",
        )  # fmt: skip
    return asked


def _again(books: Books, own: Request, order: str, wait_until: datetime | None) -> Request:
    """She asks once more: her place stays, and what she said last counts."""
    changed = replace(own, order=order, wait_until=wait_until)
    if changed != books.request(own.id):
        books.put_request(changed)
    return changed


def _check(books: Books, want: Want, now: datetime) -> None:
    """That it can be had at all, and that she may have it together with all she holds and waits for."""
    try:
        leases.placed(books, want, now)
    except Ds01Error as error:
        if error.kind is not GPU_FULL:
            raise
    quota = want.limits.gpus_max
    if quota is None:
        return
    everything = leases.inventory(books, (), want.limits)
    mine = [request for request in books.open_requests(want.user.uid) if request.epoch == want.epoch]
    held = leases.counted(lease for lease in books.open_leases(want.user.uid) if lease.epoch == want.epoch)
    promised = [request for request in mine if request.state is RequestState.WAITING and request.interactive]
    waiting = sum((_cost(request, everything) for request in promised), Fraction(0))
    cost = cheapest(want.ask, everything.fitting(want.ask))
    if waiting and sum((lease.gpueq for lease in held), waiting + cost) > quota:
        raise refusal.over_quota(want.ask, cost, held, want.limits, waiting, [request.name for request in promised])


def _cost(request: Request, everything: Inventory) -> Fraction:
    return cheapest(request.ask, everything.fitting(request.ask))
