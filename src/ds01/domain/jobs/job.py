"""A job: a command that runs to its end in a container of its own. ``waiting → queued → running → ended``.

Waiting: it may not run yet, because it comes after another one, or its owner has no room for one more container.
Queued: it waits for its GPUs like everybody else, or is about to start. A job whose container was lost by no fault
of its own is waiting again, with its former place in the queue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from ds01.domain.container import ContainerId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.people import Uid
from ds01.domain.queue.request import RequestId

JobId = NewType("JobId", str)

JOBS = ".ds01/jobs"
"""Where a workspace keeps what jobs wrote, by their numbers."""


class JobState(StrEnum):
    """Where a job is in its life."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"


class JobEnd(StrEnum):
    """How a job ended; the same words as for containers where there are such.

    The detail: ``exit`` the code, ``oom`` ``<peak>/<limit>`` in bytes, ``cancelled`` the admin who did it (``""``: its
    owner), ``runtime`` the time it had, ``dependency`` what it came after, ``start`` and ``quarantine`` the cause.
    """

    EXIT = "exit"
    OOM = "oom"
    CANCELLED = "cancelled"
    RUNTIME = "runtime"
    IDLE = "idle"
    DEPENDENCY = "dependency"
    START = "start"
    ENGINE = "engine"
    HOST_RESTART = "host_restart"
    PREEMPTED = "preempted"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, kw_only=True)
class JobOrder:
    """What to run, as it was when the job was submitted: it runs like this however long it waits.

    ``image`` is the image's id, ``folder`` where to run below the workspace. ``commit`` is the version of the
    project's files, ``""`` where they have none; with changes that no commit has it ends with ``+``.
    """

    command: tuple[str, ...]
    workspace: str
    image: str
    image_ref: str
    project: str = ""
    folder: str = ""
    data: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    commit: str = ""
    on_stop: str = ""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job, or one task of an array.

    ``number`` counts the submissions of one user; the tasks of an array have one number together. ``after`` are the
    jobs it comes after (``domain.jobs.after``), ``parallel`` how many tasks of its array may run at once. ``planned``
    is the longest it may run. ``order`` is the ``JobOrder`` in words of ds01d. ``attempt`` counts its starts.
    ``eligible_at`` is when it first might have run: its place in the queue counts from then. ``container`` is the
    last one it had. ``end`` is set when it ended, and before that when somebody asked for its end. ``note`` is why its
    last start came to nothing.
    """

    id: JobId
    uid: Uid
    epoch: int
    number: int
    name: str
    submitted_at: datetime
    ask: GpuAsk
    order: str
    array: str = ""
    index: int | None = None
    parallel: int | None = None
    after: tuple[str, ...] = ()
    planned: timedelta | None = None
    retries: int = 0
    state: JobState = JobState.WAITING
    attempt: int = 0
    eligible_at: datetime | None = None
    request: RequestId | None = None
    container: ContainerId | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end: JobEnd | None = None
    detail: str = ""
    exit_code: int | None = None
    note: str = ""

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.state is not JobState.ENDED

    @property
    def ran(self) -> bool:
        """Whether its command ever ran."""
        return self.container is not None

    @property
    def succeeded(self) -> bool:
        """Whether its command ended with 0."""
        return self.end is JobEnd.EXIT and self.exit_code == 0

    @property
    def folder(self) -> str:
        """Where it writes, below its workspace."""
        task = "" if self.index is None else f"/{self.index}"
        return f"{JOBS}/{self.number}{task}"

    @property
    def deadline(self) -> datetime | None:
        """When its time is over."""
        if self.state is not JobState.RUNNING or self.started_at is None or self.planned is None:
            return None
        return self.started_at + self.planned


def queued(job: Job, since: datetime, request: RequestId | None) -> Job:
    """It may run as soon as it gets its GPUs; with none to wait for, now. Its place counts from ``since``."""
    return replace(job, state=JobState.QUEUED, request=request, eligible_at=since)


def running(job: Job, container: ContainerId, now: datetime) -> Job:
    """Its container runs."""
    return replace(
        job, state=JobState.RUNNING, container=container, started_at=now, attempt=job.attempt + 1, note=""
    )  # fmt: skip


def ended(job: Job, end: JobEnd, now: datetime, *, detail: str = "", exit_code: int | None = None) -> Job:
    """It is over."""
    return replace(job, state=JobState.ENDED, end=end, detail=detail, exit_code=exit_code, ended_at=now)


def asked_to_end(job: Job, end: JobEnd, detail: str = "") -> Job:
    """Somebody asked for its end; whoever asked first is the reason."""
    return job if job.end is not None else replace(job, end=end, detail=detail)


def again(job: Job, note: str, *, counts: bool = True) -> Job:
    """It waits again, in its former place. What gave way to others has used none of its retries: that start does not
    count.
    """
    attempt = job.attempt if counts else max(0, job.attempt - 1)
    return replace(job, state=JobState.WAITING, request=None, started_at=None, note=note, attempt=attempt)


def names(name: str, indexes: Iterable[int] | None) -> tuple[tuple[str, int | None], ...]:
    """The names of the tasks, with their index; of a single job its own."""
    return ((name, None),) if indexes is None else tuple((f"{name}-{index}", index) for index in indexes)
