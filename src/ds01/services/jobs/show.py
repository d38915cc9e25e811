"""Jobs as people see them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from ds01.domain.gpu_ask import flags
from ds01.domain.jobs.job import Job, JobId, JobOrder, JobState
from ds01.domain.jobs.words import code, sentence, words
from ds01.domain.people import Uid
from ds01.domain.quantity import ordinal
from ds01.domain.queue.request import RequestState
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.jobs.afters import Afters, shown
from ds01.services.jobs.find import find
from ds01.services.people import Names, names
from ds01.services.queue.place import SOON, places
from ds01.services.world import World
from ds01.wire.codec import parse
from ds01.wire.jobs import JobsView, JobView
from ds01.wire.pages import ROWS
from ds01.wire.queue import PlaceView

BRIEF = 300
"""Characters of a command in a list."""

FOLLOW_SECONDS = 15.0
"""How long a follower hears nothing at most."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How much is looked up: ``places`` in the queue cost as much as a pass over it. ``called`` says the logins.
    In ``brief``, as in a list of thousands, environments, data, what has ended of what it comes after, and the ends of
    long commands are left out.
    """

    called: Names
    afters: Afters
    places: bool = False
    brief: bool = False


async def list_jobs(world: World, caller: Caller, *, everybody: bool, limit: int, skip: int = 0) -> tuple[JobView, ...]:
    """The latest jobs of the caller, or of everybody, the latest last; ``skip`` leaves so many of the latest out."""

    def read(books: Books) -> tuple[JobView, ...]:
        found = books.jobs(None if everybody else caller.uid, limit=min(limit, ROWS), skip=skip)
        shown = [job for job in found if everybody or job.epoch == caller.epoch]
        look = Look(called=names(books), afters=Afters(books), brief=True)
        return tuple(view(books, world, job, look) for job in shown)

    return await world.ledger.read(read)


async def submitted(world: World, jobs: tuple[Job, ...]) -> JobsView:
    """What was just written down."""
    return await world.ledger.read(lambda books: _shown(books, world, jobs, jobs[0].array or jobs[0].name))


async def show(world: World, caller: Caller, name: str) -> JobsView:
    """One job, or all tasks of an array. Raises Ds01Error (``job.unknown``)."""
    return await world.ledger.read(lambda books: _shown(books, world, find(books, caller, name), name))


async def follow(world: World, caller: Caller, name: str) -> AsyncGenerator[JobsView, None]:
    """The same now and whenever it changes, until all have ended."""
    jobs = await world.ledger.read(lambda books: find(books, caller, name))
    uid, number, ids = jobs[0].uid, jobs[0].number, {job.id for job in jobs}
    before: JobsView | None = None
    seen = await world.ledger.wait(0, 0)
    while True:
        now = await world.ledger.read(lambda books: _still(books, world, uid, number, ids, name))
        if now != before:
            yield now
        if all(job.state == JobState.ENDED.value for job in now.jobs):
            return
        before, seen = now, await world.ledger.wait(seen, FOLLOW_SECONDS)


def _still(books: Books, world: World, uid: Uid, number: int, ids: set[JobId], name: str) -> JobsView:
    return _shown(books, world, tuple(job for job in books.numbered(uid, number) if job.id in ids), name)


def _shown(books: Books, world: World, jobs: tuple[Job, ...], name: str) -> JobsView:
    look = Look(called=names(books), afters=Afters(books), places=len(jobs) == 1)
    return JobsView(name=name, jobs=tuple(view(books, world, job, look) for job in jobs))


@lru_cache(maxsize=256)
def ordered(text: str) -> JobOrder:
    """What was to be run; the tasks of an array have one order."""
    return parse(JobOrder, json.loads(text))


def view(books: Books, world: World, job: Job, look: Look) -> JobView:
    """One job."""
    order = ordered(job.order)
    place = _place(books, world, job) if look.places else None
    return JobView(
        name=job.name, number=job.number, owner=look.called(job.uid), state=job.state.value,
        text=_text(books, job, place, look.afters),
        told=f"{sentence(job.name, job.end, job.detail)}." if not job.open and job.end is not None else "",
        command=_begin(order.command) if look.brief else order.command,
        project=order.project, workspace=order.workspace,
        log=f"{order.workspace}/{job.folder}/log", submitted_at=job.submitted_at.isoformat(), asked=flags(job.ask),
        image=order.image_ref, image_id=order.image, end=job.end.value if job.end is not None else "",
        detail=job.detail, exit_code=job.exit_code, code=None if job.open else code(job), array=job.array,
        index=job.index, after=_after(job, look), folder=order.folder,
        commit=order.commit, environment={} if look.brief else dict(order.environment),
        data=() if look.brief else order.data,
        planned_seconds=None if job.planned is None else int(job.planned.total_seconds()), attempt=job.attempt,
        retries=job.retries, started_at=_time(job.started_at), ended_at=_time(job.ended_at), gpus=_gpus(books, job),
        place=place, ran=job.ran,
    )  # fmt: skip


def _begin(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command, or its first words and an ellipsis."""
    length = 0
    kept: list[str] = []
    for word in command:
        length += len(word)
        if length > BRIEF:
            return (*kept, "…")
        kept.append(word)
    return command


def _text(books: Books, job: Job, place: PlaceView | None, afters: Afters) -> str:
    match job.state:
        case JobState.ENDED:
            return words(job.end, job.detail) if job.end is not None else "ended"
        case JobState.RUNNING:
            return "running" if job.end is None else "is being stopped"
        case JobState.QUEUED:
            return _waits(books, job, place)
        case JobState.WAITING if job.note:
            return f"is tried again: {job.note}"
        case JobState.WAITING if open_ := [kept for kept in job.after if afters.going(job.uid, kept)]:
            return f"comes after {', '.join(afters.name(job.uid, kept) for kept in open_)}"
        case JobState.WAITING if job.parallel is not None:
            return f"waits: {job.parallel} of its array at once"
        case JobState.WAITING:
            return "waits for room among your containers"


def _waits(books: Books, job: Job, place: PlaceView | None) -> str:
    request = books.request(job.request) if job.request is not None else None
    if request is None or request.state is not RequestState.WAITING:
        return "is about to start"
    if place is None:
        return "in the queue"
    if place.text == SOON:
        return "is about to start"
    return f"{ordinal(place.place)} of {place.of} in the queue: {place.text}"


def _place(books: Books, world: World, job: Job) -> PlaceView | None:
    request = books.request(job.request) if job.state is JobState.QUEUED and job.request is not None else None
    waits = request is not None and request.state is RequestState.WAITING
    return places(books, world, [request])[0] if request is not None and waits else None


def _after(job: Job, look: Look) -> tuple[str, ...]:
    """What it comes after, by name; in brief that of it which has not ended."""
    meant = [kept for kept in job.after if not look.brief or look.afters.going(job.uid, kept)]
    return tuple(shown(look.afters.name(job.uid, kept), kept) for kept in meant)


def _gpus(books: Books, job: Job) -> tuple[str, ...]:
    """The GPUs it has, or had."""
    request = books.request(job.request) if job.request is not None else None
    lease = books.lease(request.lease) if request is not None and request.lease is not None else None
    if lease is None or not job.ran:
        return ()
    known = {slot.id: slot.label for slot in books.slots()}
    return tuple(known.get(slot, slot) for slot in lease.slots)


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
