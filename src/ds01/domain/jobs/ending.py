"""What became of a job, from how its container ended; and whether it is worth another try.

A job is tried again only when the server failed it (the engine or the machine went down, or its GPU did), or when it
gave way to somebody. What its own program does, and what somebody decided, is never repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ds01.domain.container import Container, ContainerState, StopReason
from ds01.domain.jobs.job import Job, JobEnd

SETTLED = timedelta(seconds=10)
"""An end by a signal is looked at again after this: an engine that goes down ends its containers first."""
BY_SIGNAL = ("137", "143")
INFRASTRUCTURE = frozenset({JobEnd.ENGINE, JobEnd.HOST_RESTART, JobEnd.QUARANTINE})

_ENDS = {
    StopReason.EXIT: JobEnd.EXIT,
    StopReason.OOM: JobEnd.OOM,
    StopReason.USER: JobEnd.CANCELLED,
    StopReason.RETIRED: JobEnd.CANCELLED,
    StopReason.ADMIN: JobEnd.CANCELLED,
    StopReason.RUNTIME: JobEnd.RUNTIME,
    StopReason.IDLE: JobEnd.IDLE,
    StopReason.GPU_HOLD: JobEnd.ENGINE,
    StopReason.ENGINE: JobEnd.ENGINE,
    StopReason.HOST_RESTART: JobEnd.HOST_RESTART,
    StopReason.PREEMPTED: JobEnd.PREEMPTED,
    StopReason.BOOKING: JobEnd.RUNTIME,
    StopReason.QUARANTINE: JobEnd.QUARANTINE,
}


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a job ended, or would have if it is not tried again."""

    end: JobEnd
    detail: str = ""
    exit_code: int | None = None


def ending(job: Job, container: Container | None, now: datetime, *, gpu_lost: str = "") -> Ending | None:
    """How it ended; None while it goes on, or while that cannot be told yet.

    ``gpu_lost`` is what is wrong with a GPU it had.
    """
    if container is None:
        return Ending(end=JobEnd.ENGINE)
    if container.state not in (ContainerState.STOPPED, ContainerState.REMOVED):
        return None
    if job.end is not None:
        return Ending(end=job.end, detail=job.detail)
    reason, detail = container.reason, container.reason_detail
    if reason is not StopReason.EXIT:
        end = JobEnd.ENGINE if reason is None else _ENDS[reason]
        return Ending(end=end, detail=detail)
    if gpu_lost and detail != "0":
        return Ending(end=JobEnd.QUARANTINE, detail=gpu_lost)
    if detail in BY_SIGNAL and not _settled(container, now):
        return None
    return Ending(end=JobEnd.EXIT, detail=detail, exit_code=int(detail) if detail.isdecimal() else None)


def worth_another(job: Job, found: Ending) -> bool:
    """Whether it is tried again. What gave way to others always is."""
    if found.end is JobEnd.PREEMPTED and job.end is None:
        return True
    return found.end in INFRASTRUCTURE and job.end is None and job.attempt <= job.retries


def _settled(container: Container, now: datetime) -> bool:
    return container.stopped_at is None or abs(now - container.stopped_at) >= SETTLED
