"""What follows for every open job, decided and written in one transaction; what is left to do outside it is returned.

A job's next step depends on the ledger alone, so a ds01d that was killed at any moment goes on where it was: what is
asked for here twice is done once, because whoever does it looks again under the container's lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container as Holding
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ds01.domain.container import Container, ContainerState, Door
from ds01.domain.events import EventType
from ds01.domain.jobs.after import Standing
from ds01.domain.jobs.ending import Ending, ending, worth_another
from ds01.domain.jobs.job import Job, JobEnd, JobId, JobState, again, asked_to_end, ended, queued, running
from ds01.domain.jobs.words import words
from ds01.domain.people import Uid
from ds01.domain.quantity import show_duration
from ds01.domain.queue.plan import Owner
from ds01.domain.queue.request import RequestState
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.caller import Caller
from ds01.services.jobs.afters import Afters
from ds01.services.jobs.record import over, record
from ds01.services.lost_gpus import lost
from ds01.services.queue import turn
from ds01.services.queue.join import enqueue


@dataclass(frozen=True, kw_only=True)
class Todo:
    """Jobs to begin, running ones to end, and containers whose job is over."""

    begin: tuple[Job, ...] = ()
    end: tuple[Job, ...] = ()
    clear: tuple[Container, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the transaction cannot look up. ``known`` are the owners, ``late`` the jobs whose time is over, ``resting``
    those whose last start came to nothing a moment ago, ``busy`` those that are being begun or ended now.
    """

    now: datetime
    known: Mapping[Owner, Caller] = field(default_factory=dict)
    late: Holding[JobId] = frozenset()
    resting: Holding[JobId] = frozenset()
    busy: Holding[JobId] = frozenset()


def advance(books: Books, given: Given) -> Todo:
    """One step for each that is open."""
    step = _Step(books, given)
    for job in books.open_jobs():
        if job.id not in given.busy:
            step.take(job)
    return step.todo()


def first(books: Books, given: Given, jobs: Iterable[Job]) -> None:
    """The first step of some that have come: to wait, or to be in the queue at once."""
    step = _Step(books, given)
    for job in jobs:
        step.take(job)


def owner_of(job: Job) -> Owner:
    """Whose it is."""
    return Owner(job.uid, job.epoch)


class _Step:
    """One pass; what it looks up for one job it knows for the next."""

    def __init__(self, books: Books, given: Given) -> None:
        self._books = books
        self._given = given
        self._there = {(c.uid, c.name): c for c in books.containers(door=Door.JOB)}
        self._come = 0
        self._live: dict[Uid, int] = {}
        self._queued = Counter(job.uid for job in books.open_jobs() if job.state is JobState.QUEUED)
        self._tasks = Counter(_array(job) for job in books.open_jobs() if job.state is not JobState.WAITING)
        self._afters = Afters(books)

    def take(self, job: Job) -> None:
        """Its next step; several when nothing keeps it from them."""
        if job.state is JobState.QUEUED:
            job = self._queued_step(job)
        if job.state is JobState.WAITING:
            self._waiting_step(job)
        if job.state is JobState.RUNNING:
            self._running_step(job)

    def todo(self) -> Todo:
        """What is to be done now."""
        given, jobs = self._given, [job for job in self._books.open_jobs() if job.id not in self._given.busy]
        used = {job.container for job in self._books.open_jobs() if job.state is JobState.RUNNING}
        over_ = [c for c in self._there.values() if c.state is ContainerState.STOPPED and c.id not in used]
        return Todo(
            begin=tuple(job for job in jobs if self._may_begin(job) and job.id not in given.resting),
            end=tuple(job for job in jobs if job.state is JobState.RUNNING and job.end is not None),
            clear=tuple(over_),
        )

    # waiting ----------------------------------------------------------------------------------------
    def _waiting_step(self, job: Job) -> None:
        owner = self._given.known.get(owner_of(job))
        if owner is None or job.id in self._given.resting:
            return
        for kept in job.after:
            match self._afters.standing(job.uid, kept):
                case Standing.NEVER:
                    name = self._afters.name(job.uid, kept)
                    over(self._books, ended(job, JobEnd.DEPENDENCY, self._given.now, detail=name), self._given.now)
                    return
                case Standing.NOT_YET:
                    return
                case Standing.READY:
                    pass
        if self._room(job, owner):
            self._queue(job, owner)

    def _queue(self, job: Job, owner: Caller) -> None:
        books, now = self._books, self._given.now
        request, since = None, job.eligible_at or self._next()
        if job.ask.count:
            if turn.named(books, owner.owner, job.name) is not None:
                return  # her own launch of this name waits; the job comes after it
            want = owner.wants(job.name, job.ask, job.planned)
            request = enqueue(books, want, now, since).id
        self._queued[job.uid] += 1
        self._tasks[_array(job)] += 1
        books.put_job(queued(job, since, request))

    def _next(self) -> datetime:
        """The moment from which a place counts: of those that come to wait at once, each a little later."""
        self._come += 1
        return self._given.now + timedelta(microseconds=self._come - 1)

    def _room(self, job: Job, owner: Caller) -> bool:
        """Whether one more task of its array, and one more container of its owner, may be there."""
        if job.parallel is not None and self._tasks[_array(job)] >= job.parallel:
            return False
        most = owner.limits.containers
        if most is None:
            return True
        if job.uid not in self._live:
            self._live[job.uid] = len(self._books.containers(job.uid))
        return self._live[job.uid] + self._queued[job.uid] < most

    # queued -----------------------------------------------------------------------------------------
    def _queued_step(self, job: Job) -> Job:
        """A job whose turn is over without a container waits again; one whose request was given up ends."""
        books, now = self._books, self._given.now
        made = self._there.get((job.uid, job.name))
        if made is not None and made.id != job.container:
            found = running(job, made.id, made.started_at or now)
            books.put_job(found)
            return found
        request = books.request(job.request) if job.request is not None else None
        if request is None or request.state.open:
            return job
        if request.state is RequestState.TAKEN:
            lease = books.lease(request.lease) if request.lease is not None else None
            if lease is not None and lease.state.open:
                return job
            self._queued[job.uid] -= 1
            self._tasks[_array(job)] -= 1
            back = again(job, job.note)
            books.put_job(back)
            return back
        admin = request.reason.removeprefix("by admin ") if request.reason.startswith("by admin ") else ""
        return over(books, ended(job, JobEnd.CANCELLED, now, detail=admin), now)

    def _may_begin(self, job: Job) -> bool:
        if job.state is not JobState.QUEUED:
            return False
        request = self._books.request(job.request) if job.request is not None else None
        return request is None or request.state is RequestState.TAKEN

    # running ----------------------------------------------------------------------------------------
    def _running_step(self, job: Job) -> None:
        books, now = self._books, self._given.now
        if job.id in self._given.late and job.end is None:
            job = asked_to_end(job, JobEnd.RUNTIME, show_duration(job.planned))
            books.put_job(job)
        container = books.container(job.container) if job.container is not None else None
        found = ending(job, container, now, gpu_lost=_lost(books, container))
        if found is None:
            return
        _give_back(books, job, now)
        if worth_another(job, found):
            retry(books, job, found, now)
        else:
            over(books, ended(job, found.end, now, detail=found.detail, exit_code=found.exit_code), now)


def retry(books: Books, job: Job, found: Ending, now: datetime) -> None:
    """It waits again, with the reason."""
    why = words(found.end, found.detail)
    books.put_job(again(job, why, counts=found.end is not JobEnd.PREEMPTED))
    record(books, EventType.JOB_RETRIED, job, now, reason=why)


def _give_back(books: Books, job: Job, now: datetime) -> None:
    """The GPUs of a container that came and went while ds01d was not there are still reserved for it."""
    request = books.request(job.request) if job.request is not None else None
    lease = books.lease(request.lease) if request is not None and request.lease is not None else None
    if lease is not None and lease.state.open and lease.container in (None, job.container):
        leases.release(books, lease.id, "its job is over", now)


def _array(job: Job) -> tuple[Uid, int]:
    return job.uid, job.number


def _lost(books: Books, container: Container | None) -> str:
    """What the driver has against a GPU it had; ``""`` when that is nothing. What an admin set aside works well."""
    if container is None or not container.gpus or container.lease is None:
        return ""
    lease = books.lease(container.lease)
    return "" if lease is None else lost(books, lease)
