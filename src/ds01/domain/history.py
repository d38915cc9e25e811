"""What was leased, as a trace that the queue's rules can be tried on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ds01.domain.container import StopReason
from ds01.domain.events import Event, EventType
from ds01.domain.lease import Lease
from ds01.domain.quantity import duration

ENDS = (EventType.LEASE_ACTIVATED, EventType.LEASE_HELD, EventType.CONTAINER_STOPPED)
"""The events that tell how a lease came to its end."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """A lease, open or ended, and since when it was waited for; None when nobody had to wait.

    ``idle`` is how long it had done nothing when that ended it, ``held_at`` since when it was only kept after that.
    """

    lease: Lease
    submitted_at: datetime | None = None
    idle: timedelta = timedelta(0)
    held_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class TraceJob:
    """A line of a trace: seconds from the first submission; ``gpus`` are GPU-equivalents. Of ``duration`` the last
    ``idle`` and ``held`` seconds went by idle, until that ended it, and kept for a stopped container.
    """

    id: str
    user: str
    submit: float
    duration: float
    gpus: float
    asked: float | None
    idle: float = 0.0
    held: float = 0.0


def ended(past: Iterable[Past], events: Iterable[Event]) -> tuple[Past, ...]:
    """With how each one came to its end; ``events`` are those of ``ENDS``, in order."""
    begun: dict[str, datetime] = {}
    held: dict[str, datetime] = {}
    stopped: dict[str, Event] = {}
    for event in events:
        if event.type is EventType.CONTAINER_STOPPED:
            stopped[event.subject] = event
        elif event.type is EventType.LEASE_HELD:
            held.setdefault(event.subject, event.at)
        else:
            begun[event.subject] = event.at
            held.pop(event.subject, None)
    return tuple(
        replace(one, held_at=held.get(one.lease.id), idle=_idle(one.lease, stopped, begun.get(one.lease.id)))
        for one in past
    )  # fmt: skip


def _idle(lease: Lease, stopped: Mapping[str, Event], begun: datetime | None) -> timedelta:
    """How long it was idle, by the rule that stopped it for that."""
    stop = stopped.get(lease.container or "")
    if stop is None or stop.details.get("reason") != StopReason.IDLE.value or stop.at < (begun or lease.granted_at):
        return timedelta(0)
    if lease.ended_at is not None and stop.at > lease.ended_at:
        return timedelta(0)
    return duration(stop.details.get("detail", "0s").partition(",")[0])


def trace(past: Iterable[Past], called: Mapping[int, str], now: datetime) -> tuple[TraceJob, ...]:
    """In order of submission. A lease counts from its grant until it was given back, what is held included: that is
    how long nobody else had the GPU. One that is open counts until now; one that never had a container does not count.
    """
    used = [each for each in past if each.lease.container is not None]
    used.sort(key=lambda each: (_submitted(each), each.lease.id))
    first = _submitted(used[0]) if used else now
    return tuple(
        TraceJob(
            id=str(each.lease.id), user=called.get(each.lease.uid, str(each.lease.uid)),
            submit=round((_submitted(each) - first).total_seconds(), 1),
            duration=max(1.0, round(((each.lease.ended_at or now) - each.lease.granted_at).total_seconds(), 1)),
            gpus=round(float(each.lease.gpueq), 4),
            asked=None if each.lease.planned is None else each.lease.planned.total_seconds(),
            idle=each.idle.total_seconds(), held=_held(each, now),
        )
        for each in used
    )  # fmt: skip


def _held(past: Past, now: datetime) -> float:
    since = past.held_at
    return 0.0 if since is None else round(((past.lease.ended_at or now) - since).total_seconds(), 1)


def _submitted(past: Past) -> datetime:
    return past.submitted_at or past.lease.granted_at
