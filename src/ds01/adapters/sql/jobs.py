"""The jobs' part of the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlalchemy.exc import IntegrityError

from ds01.adapters.sql import statements, tables
from ds01.adapters.sql.notices import NoticeBooks
from ds01.adapters.sql.prepared import Found
from ds01.domain.errors import NAME_TAKEN, Ds01Error
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.jobs.job import Job, JobId
from ds01.domain.people import Uid


class JobBooks(NoticeBooks):
    """Jobs, within a transaction. The open ones are kept decoded: every step of each looks at all of them."""

    _in_order: tuple[Mapping[JobId, Job], tuple[Job, ...]] | None = None
    """The open jobs, and the same in their order: sorted once as long as none changes."""

    def job(self, job: JobId) -> Job | None:
        if self.hot.jobs is not None and (found := self.hot.jobs.get(job)):
            return found
        row = self._one(statements.JOB, {"id": job})
        return None if row is None else _job(row)

    def open_jobs(self, uid: Uid | None = None) -> tuple[Job, ...]:
        open_ = self._open_jobs()
        if self._in_order is None or self._in_order[0] is not open_:
            self._in_order = open_, tuple(sorted(open_.values(), key=_order))
        every = self._in_order[1]
        return every if uid is None else tuple(job for job in every if job.uid == uid)

    def jobs(self, uid: Uid | None = None, *, limit: int = 100, skip: int = 0) -> tuple[Job, ...]:
        chosen = statements.JOBS if uid is None else statements.JOBS.where(tables.jobs.c.uid == uid)
        return tuple(sorted(map(_job, self._built(chosen.limit(limit).offset(skip))), key=_order))

    def numbered(self, uid: Uid, number: int) -> tuple[Job, ...]:
        return tuple(_job(row) for row in self._all(statements.NUMBERED, {"uid": uid, "number": number}))

    def task(self, uid: Uid, number: int, index: int | None = None) -> Job | None:
        row = self._one(*_meant(statements.TASKS, uid, number, index))
        return None if row is None else _job(row)

    def failed(self, uid: Uid, number: int, index: int | None = None) -> bool:
        return self._one(*_meant(statements.FAILED, uid, number, index)) is not None

    def called(self, uid: Uid, name: str) -> tuple[Job, ...]:
        one = self.latest(uid, name)
        if one is None:
            return ()
        return self.numbered(uid, one.number) if one.array == name else (one,)

    def latest(self, uid: Uid, name: str) -> Job | None:
        row = self._one(statements.CALLED, {"uid": uid, "called": name})
        return None if row is None else _job(row)

    def last_number(self, uid: Uid) -> int:
        row = self._one(statements.LAST_NUMBER, {"uid": uid})
        return 0 if row is None else int(row["last"] or 0)

    def ended_jobs(self, before: datetime) -> tuple[tuple[Uid, int], ...]:
        return tuple((Uid(row["uid"]), int(row["number"])) for row in self._all(statements.ENDED_JOBS, {"at": before}))

    def drop_jobs(self, uid: Uid, number: int) -> None:
        self._write(statements.DROP_JOBS, {"key_uid": uid, "key_number": number})

    def put_job(self, job: Job) -> None:
        try:
            self._put(tables.jobs, _row(job))
        except IntegrityError as error:
            if "jobs.name" not in str(error.orig):
                raise
            raise named_already(job) from error
        others = dict(self._open_jobs())
        others.pop(job.id, None)
        self.hot = replace(self.hot, jobs={**others, job.id: job} if job.open else others)

    def _open_jobs(self) -> Mapping[JobId, Job]:
        if self.hot.jobs is None:
            found = [_job(row) for row in self._all(statements.OPEN_JOBS)]
            self.hot = replace(self.hot, jobs={job.id: job for job in found})
        return self.hot.jobs or {}


def _meant(
    asked: tuple[Select[Any], Select[Any]], uid: Uid, number: int, index: int | None
) -> tuple[Select[Any], dict[str, int]]:
    """Of a question about an array and that about one task of it, the one that is meant."""
    of_all, of_one = asked
    if index is None:
        return of_all, {"uid": uid, "number": number}
    return of_one, {"uid": uid, "number": number, "task": index}


def _order(job: Job) -> tuple[object, ...]:
    return job.submitted_at, job.uid, job.number, -1 if job.index is None else job.index


def _job(row: Found) -> Job:
    values = dict(row)
    ask = GpuAsk(count=values.pop("count"), profile=values.pop("profile"), memory_bytes=values.pop("memory_bytes"))
    return Job(**values, ask=ask)


def _row(job: Job) -> dict[str, Any]:
    values = {key: value for key, value in vars(job).items() if key != "ask"}
    ask = job.ask
    return {**values, "gpus": ask.count, "gpu_profile": ask.profile, "gpu_memory_bytes": ask.memory_bytes}


def named_already(job: Job) -> Ds01Error:
    """One open job for each name."""
    return Ds01Error(
        NAME_TAKEN, f"You have a job '{job.name}' already, which has not ended.",
        hint=f"See it: ds01 why {job.name}, or leave --name out",
    )  # fmt: skip
