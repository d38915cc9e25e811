"""Who a uid belongs to (I6): the uid plus an epoch that grows when the uid changes hands.

A uid whose login changed is somebody else: she inherits no container, no lease, no image, no job and no booking. What
the former owner left is set aside for the admin and never handed on. It is not stopped for that: with a GPU it runs for
as long as who is in no group may (``services.enforce``), without one on and on. What was still to come for her does
not come.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ds01.domain.container import Container, ContainerState
from ds01.domain.events import Event, EventType
from ds01.domain.jobs.job import Job, JobEnd, JobState, ended
from ds01.domain.people import Account, User
from ds01.domain.queue.booking import Booking, BookingState, Kind
from ds01.ports.ledger import Books
from ds01.services.jobs.record import over
from ds01.services.queue.turn import give_up

HANDED_ON = "its account is somebody else's now"


def account(books: Books, user: User, now: datetime) -> Account:
    """The account of ``user`` as the ledger knows it, made or renewed when needed."""
    known = books.account(user.uid)
    if known is not None and known.login == user.login:
        return known
    if known is None or not known.login:
        return _adopt(books, known, user, now)
    current = Account(uid=user.uid, login=user.login, epoch=known.epoch + 1, since=now)
    books.put_account(current)
    _set_aside(books, known, now)
    _record(books, current, now, before=known.login)
    return current


def owns(account: Account, container: Container) -> bool:
    """Whether a container is this person's, and not a former owner's of her uid."""
    return container.uid == account.uid and container.epoch == account.epoch


def _adopt(books: Books, known: Account | None, user: User, now: datetime) -> Account:
    """A first visit, or the first after the ledger was rebuilt from labels, which know the epoch but no login."""
    epoch = 1 if known is None else known.epoch
    current = Account(uid=user.uid, login=user.login, epoch=epoch, since=None if known is None else known.since)
    books.put_account(current)
    return current


def _set_aside(books: Books, former: Account, now: datetime) -> None:
    for container in books.containers(former.uid):
        if container.epoch <= former.epoch and container.state is not ContainerState.QUARANTINED:
            books.put_container(replace(container, state=ContainerState.QUARANTINED))
            _quarantined(books, container, former, now)
    for request in books.open_requests(former.uid):
        if request.epoch <= former.epoch:
            give_up(books, request, now, actor=None, reason=HANDED_ON)
    for job in books.open_jobs(former.uid):
        if job.epoch <= former.epoch:
            over(books, _ended(job, now), now)
    for booking in books.bookings():
        _give_back(books, booking, former, now)
    for tag in books.tags(former.uid):
        books.put_tag(replace(tag, owner=None))


def _ended(job: Job, now: datetime) -> Job:
    """What runs goes on in its container, which is set aside; as a job it is over."""
    if job.state is JobState.RUNNING:
        return ended(job, JobEnd.CANCELLED, now)
    return ended(job, JobEnd.START, now, detail=HANDED_ON)


def _give_back(books: Books, booking: Booking, former: Account, now: datetime) -> None:
    """A booking of hers for herself is over; those of others, and for others, stand without her."""
    mine = booking.uid == former.uid and booking.epoch <= former.epoch
    if mine and booking.kind is Kind.OWN:
        books.put_booking(replace(booking, state=BookingState.CANCELLED, ended_at=now, reason=HANDED_ON))
        details = {"name": booking.name, "reason": HANDED_ON}
        books.record(
            Event(
                at=now, type=EventType.BOOKING_CANCELLED, actor=None, uid=former.uid, subject=booking.series,
                details=details,
            )
        )  # fmt: skip
    elif former.uid in booking.uids:
        books.put_booking(replace(booking, uids=booking.uids - {former.uid}))


def _quarantined(books: Books, container: Container, former: Account, now: datetime) -> None:
    books.record(
        Event(
            at=now,
            type=EventType.CONTAINER_QUARANTINED,
            actor=None,
            uid=None,
            subject=container.id,
            details={"name": container.name, "reason": f"it is of {former.login}, whose uid is somebody else's now"},
        )
    )


def _record(books: Books, current: Account, now: datetime, before: str) -> None:
    books.record(
        Event(
            at=now,
            type=EventType.ACCOUNT_CHANGED,
            actor=None,
            uid=None,
            subject=str(current.uid),
            details={"login": current.login, "before": before, "epoch": str(current.epoch)},
        )
    )
