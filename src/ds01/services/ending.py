"""How a container's end is written down: the same for a verb of its owner and for what the reconciler finds.

A stop always has a reason. The GPU of a stopped container is held for a while, so that a restart finds it again;
removing gives it back at once, and ends every warning of what can happen to it no more. A stop ends none: whoever looks
next takes back those that hold no more, and a runtime that is nearly over is so after a restart, too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ds01.domain.container import Container, ContainerState, Door, StopReason
from ds01.domain.events import EventType
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.people import Uid
from ds01.domain.queue.booking import BookingId
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.tell import tell


def record_stop(
    books: Books, container: Container, *, at: datetime, now: datetime, reason: StopReason, detail: str,
    hold: timedelta, actor: Uid | None, **more: str,
) -> Container:  # fmt: skip
    """It stopped at ``at``: hold its GPU for ``hold`` from then on, or give it back when that is over.

    Nothing is held for a job: it does not start again; nor beyond the booking a GPU is of. What is out of service stays
    so. ``more`` are details of the event: how its end went.
    """
    aside = container.state is ContainerState.QUARANTINED
    stopped = replace(
        container, state=ContainerState.QUARANTINED if aside else ContainerState.STOPPED, stopped_at=at,
        reason=reason, reason_detail=detail,
        ran=container.ran + max(at - (container.started_at or at), timedelta(0)),
    )  # fmt: skip
    lease = open_lease(books, container)
    if lease is not None and lease.state is LeaseState.ACTIVE:
        until = at if container.door is Door.JOB else _not_beyond(books, lease, at + hold)
        if until > now:
            leases.hold(books, lease.id, until, now)
        else:
            leases.release(books, lease.id, "the container stopped", now)
    books.put_container(stopped)
    _tell_stop(books, stopped, actor, **more)
    return stopped


def _not_beyond(books: Books, lease: Lease, until: datetime) -> datetime:
    booking = books.booking(BookingId(lease.booking)) if lease.booking else None
    return until if booking is None else min(until, booking.ends_at)


def record_removal(
    books: Books, container: Container, *, now: datetime, actor: Uid | None,
    reason: StopReason | None = None, detail: str = "", why: str = "the container was removed",
    told: str = "", said: str = "",
) -> Container:  # fmt: skip
    """It is gone: its GPU is free. ``reason`` counts when it was still running; ``told`` is why DS01 removed it, and
    ``said`` the reason an admin gave.
    """
    lease = open_lease(books, container)
    if lease is not None:
        leases.release(books, lease.id, why, now)
    if container.state in (ContainerState.RUNNING, ContainerState.PAUSED):
        container = replace(container, stopped_at=now, reason=reason or StopReason.USER, reason_detail=detail)
        _tell_stop(books, container, actor, why=said)
        said = ""
    gone = replace(container, state=ContainerState.REMOVED, removed_at=now, lease=None)
    books.put_container(gone)
    _end_warnings(books, gone, now)
    tell(books, EventType.CONTAINER_REMOVED, gone, at=now, actor=actor, reason=told or said)
    return gone


def _end_warnings(books: Books, gone: Container, now: datetime) -> None:
    """What was done to it, by a rule or an admin, is still to be read."""
    for notice in books.notices(gone.uid):
        if notice.subject == gone.id and notice.warns:
            books.put_notice(replace(notice, ended_at=now))


def open_lease(books: Books, container: Container) -> Lease | None:
    """The container's lease while it still holds slots."""
    lease = books.lease(container.lease) if container.lease else None
    return lease if lease is not None and lease.state.open else None


def promised_lease(books: Books, container: Container) -> Lease | None:
    """A lease that was granted for a start of this container that was never recorded; it is used for the next one."""
    mine = (lease for lease in books.open_leases(container.uid) if lease.epoch == container.epoch)
    return next((lease for lease in mine if lease.name == container.name and lease.container is None), None)


def _tell_stop(books: Books, container: Container, actor: Uid | None, **more: str) -> None:
    reason = container.reason.value if container.reason else ""
    at = container.stopped_at
    if at is not None:
        tell(
            books, EventType.CONTAINER_STOPPED, container, at=at, actor=actor,
            reason=reason, detail=container.reason_detail, **more,
        )  # fmt: skip
