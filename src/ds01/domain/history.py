"""What was leased, as a trace that the queue's rules can be tried on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ds01.domain.lease import Lease


@dataclass(frozen=True, kw_only=True)
class Past:
    """A lease, open or ended, and since when it was waited for; None when nobody had to wait."""

    lease: Lease
    submitted_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class TraceJob:
    """A line of a trace: seconds from the first submission; ``gpus`` are GPU-equivalents."""

    id: str
    user: str
    submit: float
    duration: float
    gpus: float
    asked: float | None


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
        )
        for each in used
    )  # fmt: skip


def _submitted(past: Past) -> datetime:
    return past.submitted_at or past.lease.granted_at
