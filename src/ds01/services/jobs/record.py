"""The story of jobs: their events."""

from __future__ import annotations

from datetime import datetime

from ds01.domain.events import Event, EventType
from ds01.domain.jobs.job import Job
from ds01.domain.people import Uid
from ds01.ports.ledger import Books


def record(books: Books, kind: EventType, job: Job, now: datetime, *, actor: Uid | None = None, **details: str) -> None:
    """Record what happened to a job; empty details are left out."""
    shown = {"name": job.name, **details}
    books.record(
        Event(
            at=now, type=kind, actor=actor, uid=job.uid, subject=job.id,
            details={key: value for key, value in shown.items() if value},
        )
    )  # fmt: skip


def over(books: Books, job: Job, now: datetime, *, actor: Uid | None = None) -> Job:
    """Write down a job that has ended."""
    books.put_job(job)
    record(
        books, EventType.JOB_ENDED, job, now, actor=actor, end=job.end.value if job.end else "", detail=job.detail,
        code="" if job.exit_code is None else str(job.exit_code), container=job.container or "",
    )  # fmt: skip
    return job
