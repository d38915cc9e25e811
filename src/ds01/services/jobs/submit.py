"""Submitting: everything that can be wrong is said now, and what is acknowledged is on the disk.

What a job is made from is fixed here: the image by its id, the command, the folder, the version of the files. A build
or an edit while it waits changes nothing of it.
"""

from __future__ import annotations

import json
import secrets
import shlex
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ds01.domain.container import Door
from ds01.domain.errors import BAD_REQUEST, NAME_TAKEN, NO_IMAGE, NO_JOB, Ds01Error
from ds01.domain.events import EventType
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.image import UNBUILT, Image, stale_reason
from ds01.domain.jobs import after as dependencies
from ds01.domain.jobs.array import MOST, indexes
from ds01.domain.jobs.job import Job, JobId, JobOrder, names
from ds01.domain.launch import check_workspace
from ds01.domain.names import NAME_LENGTH, checked, image_reference, nearest
from ds01.ports.ledger import Books
from ds01.services.bounds import check_open, check_size
from ds01.services.caller import Caller, identify
from ds01.services.find import whose
from ds01.services.images import resolve
from ds01.services.jobs.advance import Given, first
from ds01.services.jobs.record import record
from ds01.services.launch import wanted_gpus
from ds01.services.queue.join import check_ever, planned
from ds01.services.world import World
from ds01.wire.codec import plain
from ds01.wire.jobs import JobPlan, JobRequest

RETRIES = 20
AFTER = 50
"""How many jobs one may come after."""
COMMAND_BYTES = 32 * 1024
"""Longer commands belong into a file of the project."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A request, resolved: what all its tasks have in common."""

    request: JobRequest
    caller: Caller
    ask: GpuAsk
    planned: timedelta | None
    reference: str
    image: Image | None
    indexes: tuple[int, ...] | None
    parallel: int | None
    name: str
    """As it was asked for, ``""`` for one with a number."""


async def plan(world: World, caller: Caller, request: JobRequest) -> JobPlan:
    """What would be submitted. Raises what no wait would mend, before an image is built for it."""
    draft = await _draft(world, caller, request)
    name = await world.ledger.read(lambda books: _checked(books, draft))
    return JobPlan(
        name=name, image=draft.reference, build=_build(draft), gpus=draft.ask.profile or str(draft.ask.count),
        planned_seconds=None if draft.planned is None else int(draft.planned.total_seconds()),
        tasks=len(draft.indexes) if draft.indexes is not None else 1, missing=draft.image is None,
    )  # fmt: skip


async def submit(world: World, caller: Caller, request: JobRequest) -> tuple[Job, ...]:
    """The job, or the tasks of its array: written down, to be run as soon as may be."""
    draft = await _draft(world, caller, request)
    if draft.image is None:
        raise Ds01Error(
            NO_IMAGE, f"There is no image '{draft.reference}'.", reason="It was not built yet, or it was removed.",
            hint="ds01 image create",
        )  # fmt: skip
    image = draft.image
    return await world.ledger.write(lambda books: _write(books, draft, image, world.clock.now()))


async def _draft(world: World, asked: Caller, request: JobRequest) -> Draft:
    mine = await identify(world, asked.uid, Door.JOB)
    caller = replace(mine, actor=asked.actor, actor_login=asked.actor_login)
    _check_words(request)
    reference = request.image or image_reference(caller.uid, request.project)
    found, parallel = indexes(request.array) if request.array else (None, None)
    check_size(request, 1 if found is None else len(found))
    return Draft(
        request=request, caller=caller, ask=await wanted_gpus(world, caller, request.gpus, request.memory_bytes),
        planned=planned(caller.limits, request.time_seconds), reference=reference,
        image=await resolve(world, caller, reference), indexes=found, parallel=parallel,
        name=checked(request.name, "job name") if request.name else "",
    )  # fmt: skip


def _check_words(request: JobRequest) -> None:
    checked(request.project, "project name")
    if not request.command or not request.command[0]:
        raise Ds01Error(
            BAD_REQUEST, "What is to be run?", reason="The command is missing.", hint="ds01 run -- python train.py"
        )
    if sum(map(len, request.command)) > COMMAND_BYTES or any("\0" in word for word in request.command):
        raise Ds01Error(
            BAD_REQUEST, "The command is too long, or has characters no command can have.",
            hint="Put it into a script of the project: ds01 run -- sh script.sh",
        )  # fmt: skip
    if not 0 <= request.retries <= RETRIES:
        raise Ds01Error(BAD_REQUEST, f"A job may be tried again up to {RETRIES} times.", hint="--retries 2")
    if len(set(request.after)) > AFTER:
        raise Ds01Error(
            BAD_REQUEST, f"A job can come after {AFTER} others at most, not {len(set(request.after))}.",
            hint="--after the name of an array means all its tasks",
        )  # fmt: skip
    if request.folder.startswith("/") or ".." in request.folder.split("/"):
        raise Ds01Error(BAD_REQUEST, f"The folder '{request.folder}' is not below the workspace.")
    check_workspace(request.workspace)


def _build(draft: Draft) -> str:
    """Why the project's image must be built first."""
    if draft.request.image:
        return ""
    if draft.image is None:
        return UNBUILT
    return stale_reason(draft.image, draft.request.spec, draft.request.base) if draft.request.spec else ""


def _write(books: Books, draft: Draft, image: Image, now: datetime) -> tuple[Job, ...]:
    name, caller = _checked(books, draft), draft.caller
    order = json.dumps(plain(_order(draft, image)))
    after = _after(books, draft)
    number = books.last_number(caller.uid) + 1
    jobs = tuple(
        Job(
            id=JobId(f"job-{secrets.token_hex(8)}"), uid=caller.uid, epoch=caller.epoch, number=number, name=one,
            submitted_at=now, ask=draft.ask, order=order, array=name if index is not None else "", index=index,
            parallel=draft.parallel, after=after, planned=draft.planned, retries=draft.request.retries,
        )
        for one, index in names(name, draft.indexes)
    )  # fmt: skip
    for job in jobs:
        books.put_job(job)
    tasks = str(len(jobs)) if draft.indexes is not None else ""
    record(
        books, EventType.JOB_SUBMITTED, jobs[0], now, actor=caller.actor, name=name, tasks=tasks,
        command=shlex.join(draft.request.command)[:200],
    )  # fmt: skip
    first(books, Given(now=now, known={caller.owner: caller}), jobs)
    return tuple(found for job in jobs if (found := books.job(job.id)) is not None)


def _order(draft: Draft, image: Image) -> JobOrder:
    request = draft.request
    return JobOrder(
        command=request.command, workspace=request.workspace, image=image.id, image_ref=draft.reference,
        project=request.project, folder=request.folder.strip("/"), data=request.data,
        environment=request.environment, commit=request.commit[:100], on_stop=request.on_stop,
    )  # fmt: skip


def _checked(books: Books, draft: Draft) -> str:
    """The name it gets, once all is checked that the ledger knows."""
    caller = draft.caller
    if draft.ask.count:
        check_ever(books, caller.wants(draft.name, draft.ask, draft.planned))
    _after(books, draft)
    name = draft.name or _numbered(draft.request.project, books.last_number(caller.uid) + 1)
    wanted = [one for one, _ in names(name, draft.indexes)]
    if len(wanted) > MOST or any(len(one) > NAME_LENGTH for one in wanted):
        raise Ds01Error(
            BAD_REQUEST, f"'{name}' is too long a name for these tasks.",
            hint=f"Names have at most {NAME_LENGTH} characters, with the index: choose a shorter --name",
        )  # fmt: skip
    check_open(len(books.open_jobs(caller.uid)), len(wanted))
    _check_names(books, caller, {name, *wanted})
    return name


def _check_names(books: Books, caller: Caller, wanted: set[str]) -> None:
    """No open job, no container and no place in the queue of hers has one of these names."""
    jobs = books.open_jobs(caller.uid)
    taken = {job.name for job in jobs} | {job.array for job in jobs}
    taken |= {container.name for container in books.containers(caller.uid)}
    taken |= {request.name for request in books.open_requests(caller.uid)}
    if both := sorted(wanted & taken):
        raise Ds01Error(
            NAME_TAKEN, f"You have something called '{both[0]}' already.",
            reason="A job's container bears its name, so no other job or container may have it meanwhile.",
            hint=f"Choose another --name, or leave it out; see: ds01 why {both[0]}",
        )  # fmt: skip


def _after(books: Books, draft: Draft) -> tuple[str, ...]:
    found = []
    for text in dict.fromkeys(draft.request.after):
        try:
            name, anyhow = dependencies.split(text)
        except ValueError as error:
            raise Ds01Error(BAD_REQUEST, f"--after {text} cannot be read.", reason=f"{error}.") from error
        job = books.latest(draft.caller.uid, name)
        if job is None or job.epoch != draft.caller.epoch:
            raise unknown(books, draft.caller, name)
        one = job.index if job.name == name else None
        found.append(dependencies.After(number=job.number, index=one, anyhow=anyhow).kept)
    return tuple(found)


def _numbered(project: str, number: int) -> str:
    return f"{project[: NAME_LENGTH - 12].rstrip('-')}-{number}"


def unknown(books: Books, caller: Caller, name: str) -> Ds01Error:
    """She has no such job; which one she may mean."""
    mine = [job for job in books.jobs(caller.uid) if job.epoch == caller.epoch]
    meant = nearest(name, sorted({job.array for job in mine if job.array} | {job.name for job in mine}))
    return Ds01Error(
        NO_JOB, f"{whose(caller)} no job '{name}'." + (f" Did you mean '{meant}'?" if meant else ""),
        hint=f"ds01 job show {meant}" if meant else "ds01 runs",
    )  # fmt: skip
