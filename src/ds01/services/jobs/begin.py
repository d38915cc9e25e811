"""Beginning a job: its container is created and started on the GPUs it was given, all of it or nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from functools import partial

from ds01.domain.assembly import WORKSPACE, Order
from ds01.domain.container import Container, Door
from ds01.domain.errors import (
    BUSY,
    CONTAINER_QUOTA,
    DISK_FULL,
    ENGINE_ERROR,
    GPU_FULL,
    LEASE_ENDED,
    LEDGER_ERROR,
    NAME_TAKEN,
    NO_ADDRESSES,
    NO_IMAGE,
    NO_USER,
    START_FAILED,
    UNANSWERED,
    VOLUME_QUOTA,
    Ds01Error,
)
from ds01.domain.events import EventType
from ds01.domain.image import Image
from ds01.domain.jobs.job import Job, JobEnd, JobId, JobOrder, JobState, again, ended, running
from ds01.domain.lease import LeaseId
from ds01.domain.names import checked
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.caller import identify
from ds01.services.create import Wanted, create
from ds01.services.jobs.record import over, record
from ds01.services.repair import repair
from ds01.services.steps import Steps
from ds01.services.world import World
from ds01.wire.codec import parse

LATER = frozenset(
    {BUSY, CONTAINER_QUOTA, DISK_FULL, GPU_FULL, LEASE_ENDED, LEDGER_ERROR, NAME_TAKEN, NO_ADDRESSES, *UNANSWERED}
)
"""What passes: the job waits and is begun later, however often."""
PERHAPS = frozenset({ENGINE_ERROR, START_FAILED, VOLUME_QUOTA})
"""What may pass: a try that counts."""


async def begin(world: World, job: Job) -> bool:
    """Begin a job whose turn it is. False: it did not start, and waits again or is over."""
    try:
        async with world.locks.hold(job.uid, job.name, "its job"):
            await _begin(world, job.id)
    except Ds01Error as error:
        await world.ledger.write(partial(_failed, job_id=job.id, error=error, now=world.clock.now()))
        return False
    return True


async def _begin(world: World, job_id: JobId) -> None:
    job, lease = world.ledger.glance(lambda books: _current(books, job_id))
    if job is None:
        return
    caller = await identify(world, job.uid, Door.JOB)
    if caller.epoch != job.epoch:
        raise Ds01Error(NO_USER, "Its account belongs to somebody else now.")
    order = parse(JobOrder, json.loads(job.order))
    image = await world.engine.image(order.image)
    if image is None:
        raise Ds01Error(NO_IMAGE, f"Its image '{order.image_ref}' was removed.", hint="ds01 image create")
    made = await create(world, caller, _wanted(world, job, order, image, lease), Steps(world.clock))
    await repair(world, made, await world.engine.inspect(made.id), rebooted=False, outages=())


def _current(books: Books, job_id: JobId) -> tuple[Job | None, LeaseId | None]:
    """The job if it still is to be begun, and the lease it was given."""
    job = books.job(job_id)
    if job is None or job.state is not JobState.QUEUED:
        return None, None
    request = books.request(job.request) if job.request is not None else None
    return job, request.lease if request is not None else None


def _wanted(world: World, job: Job, order: JobOrder, image: Image, lease: LeaseId | None) -> Wanted:
    return Wanted(
        order=Order(
            name=checked(job.name), image=image, image_ref=order.image_ref, project=order.project,
            workspace=order.workspace, door=Door.JOB, gpus=job.ask.count, gpu_profile=job.ask.profile or "",
            gpu_memory_bytes=job.ask.memory_bytes,
            environment={"PYTHONUNBUFFERED": "1", **order.environment}, command=order.command,
            job=_variables(job, order), on_stop=order.on_stop,
        ),
        ask=job.ask, data=order.data, planned=job.planned, lease=lease,
        also=lambda books, container: _started(books, job.id, container, world.clock.now()),
    )  # fmt: skip


def _variables(job: Job, order: JobOrder) -> dict[str, str]:
    """What the main program needs, and what the command may want to know."""
    task = {"DS01_ARRAY": job.array, "DS01_ARRAY_INDEX": str(job.index)} if job.index is not None else {}
    return {
        "DS01_JOB": job.name,
        "DS01_JOB_NUMBER": str(job.number),
        "DS01_JOB_FOLDER": f"{WORKSPACE}/{job.folder}",
        "DS01_JOB_ATTEMPT": str(job.attempt + 1),
        "DS01_JOB_AGAIN": job.note,
        "DS01_JOB_START": f"{WORKSPACE}/{order.folder}".rstrip("/"),
        **task,
    }


def _started(books: Books, job_id: JobId, container: Container, at: datetime) -> None:
    job = books.job(job_id)
    if job is None or job.state is not JobState.QUEUED:
        raise Ds01Error(LEASE_ENDED, "The job was given up.")
    now = running(job, container.id, at)
    books.put_job(now)
    attempt = str(now.attempt) if now.attempt > 1 else ""
    record(books, EventType.JOB_STARTED, now, at, container=container.id, attempt=attempt)


def _failed(books: Books, *, job_id: JobId, error: Ds01Error, now: datetime) -> None:
    """It did not start: what it was given goes back; it waits again, or is over."""
    job, lease = _current(books, job_id)
    if job is None:
        return
    if lease is not None:
        leases.release(books, lease, "its job did not start", now)
    problem = error.problem
    why = " ".join(filter(None, (problem.message, problem.reason))).rstrip(".")
    tried = replace(job, attempt=job.attempt + 1) if error.kind in PERHAPS else job
    if error.kind in LATER or (error.kind in PERHAPS and tried.attempt <= job.retries):
        books.put_job(again(tried, job.note if job.ran and job.note else why))  # its log says why it begins again
        record(books, EventType.JOB_RETRIED, job, now, reason=why)
    else:
        over(books, ended(tried, JobEnd.START, now, detail=why), now)
