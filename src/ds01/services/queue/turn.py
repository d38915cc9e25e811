"""A request's turn, and how it ends: slots are leased for it, claimed, given up, or not claimed in time.

Plain functions over the books, called inside one transaction, each with its event.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ds01.domain.events import Event, EventType
from ds01.domain.lease import Lease, LeaseId, LeaseState
from ds01.domain.people import Uid
from ds01.domain.placement import Placed
from ds01.domain.quantity import show_duration
from ds01.domain.queue.plan import Owner, Rules
from ds01.domain.queue.request import Request, RequestState, moved
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.booking.seat import sat, within

NOT_CLAIMED = "nobody claimed it in time"
NEARLY = 0.9
"""Slots that were reserved a moment ago need not be written down once more for that moment."""
LONG_ENOUGH = "it waited as long as it was asked to"


def named(books: Books, owner: Owner, name: str) -> Request | None:
    """Somebody's open request of this name."""
    mine = (request for request in books.open_requests(owner.uid) if request.epoch == owner.epoch)
    return next((request for request in mine if request.name == name), None)


def kept_for(books: Books, lease: LeaseId) -> Request | None:
    """The request that these slots are kept for."""
    return next((request for request in books.open_requests() if request.lease == lease), None)


def take_turn(books: Books, request: Request, chosen: Placed, rules: Rules, now: datetime, booking: str = "") -> Lease:
    """Lease the slots for the request. For a person they are kept for a while; any other starts by itself.

    ``booking`` is the one that these slots are of.
    """
    wait = rules.claim if request.interactive else leases.RESERVATION
    lease = leases.put(
        books, Owner(request.uid, request.epoch), request.name, chosen, now,
        planned=within(books, booking, request.planned, now), expires_in=wait, booking=booking,
    )  # fmt: skip
    sat(books, lease, now)
    state = RequestState.RESERVED if request.interactive else RequestState.TAKEN
    books.put_request(moved(request, state, now, lease=lease.id, claim_until=lease.expires_at))
    until = (now + wait).isoformat(timespec="seconds") if request.interactive else ""
    record(
        books, EventType.QUEUE_TURN, request, now, slots=", ".join(slot.label for slot in chosen.slots), until=until,
        lease=lease.id, waited=_waited(request, now),
    )  # fmt: skip
    return lease


def prolong(books: Books, lease: Lease, now: datetime) -> Lease:
    """Somebody takes what is kept for her: it must not run out while her container starts."""
    until = now + leases.RESERVATION
    enough = now + leases.RESERVATION * NEARLY
    if lease.state is not LeaseState.RESERVED or (lease.expires_at is not None and lease.expires_at >= enough):
        return lease
    longer = replace(lease, expires_at=until)
    books.put_lease(longer)
    return longer


def claimed(books: Books, lease: LeaseId, now: datetime, actor: Uid | None) -> None:
    """The container with these slots is recorded: whatever they were kept for has what it waited for."""
    request = kept_for(books, lease)
    if request is not None:
        books.put_request(moved(request, RequestState.TAKEN, now))
        record(books, EventType.QUEUE_CLAIMED, request, now, actor=actor, lease=lease, waited=_waited(request, now))


def keep(books: Books, lease: Lease, now: datetime) -> bool:
    """What was begun with these slots failed: if they are kept for a request, they still are. False: they are not."""
    request = kept_for(books, lease.id)
    if request is None or request.claim_until is None:
        return False
    books.put_lease(replace(lease, expires_at=max(request.claim_until, now)))
    return True


def settle(books: Books, now: datetime) -> None:
    """End the turns whose slots have gone back: nobody came for them."""
    for request in books.open_requests():
        if request.state is RequestState.RESERVED and not _stands(books, request):
            expire(books, request, NOT_CLAIMED, now)


def _stands(books: Books, request: Request) -> bool:
    lease = books.lease(request.lease) if request.lease is not None else None
    return lease is not None and lease.state.open


def moot(books: Books, owner: Owner, name: str, now: datetime, *, actor: Uid | None, reason: str) -> None:
    """What happened to the container of this name makes waiting for it pointless; a job that waits is no matter."""
    request = named(books, owner, name)
    if request is not None and request.interactive:
        give_up(books, request, now, actor=actor, reason=reason)


def give_up(books: Books, request: Request, now: datetime, *, actor: Uid | None, reason: str = "") -> Request:
    """The request ends because somebody says so; slots that were kept for it go back."""
    ended = moved(request, RequestState.CANCELLED, now, reason=reason)
    books.put_request(ended)
    record(books, EventType.QUEUE_CANCELLED, request, now, actor=actor, reason=reason)
    if request.lease is not None:
        leases.release(books, request.lease, "its request was given up", now)
    return ended


def expire(books: Books, request: Request, reason: str, now: datetime) -> None:
    """The request ends by itself. Its slots are back already."""
    books.put_request(moved(request, RequestState.EXPIRED, now, reason=reason))
    record(books, EventType.QUEUE_EXPIRED, request, now, reason=reason)


def wait_again(books: Books, request: Request, reason: str, now: datetime) -> None:
    """What was kept for it cannot be used: it waits again, in its former place."""
    books.put_request(moved(request, RequestState.WAITING, now))
    if request.lease is not None:
        leases.release(books, request.lease, reason, now)
    record(books, EventType.QUEUE_RETURNED, request, now, reason=reason)


def record(
    books: Books, kind: EventType, request: Request, now: datetime, *, actor: Uid | None = None, **details: str
) -> None:
    """The event of a request."""
    shown = {"name": request.name, **details}
    books.record(
        Event(
            at=now,
            type=kind,
            actor=actor,
            uid=request.uid,
            subject=request.id,
            details={key: value for key, value in shown.items() if value},
        )
    )


def _waited(request: Request, now: datetime) -> str:
    return show_duration(max(now - request.submitted_at, now - now))
