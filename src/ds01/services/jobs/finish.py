"""Ending a running job whose end was asked for, and clearing a container whose job is over."""

from __future__ import annotations

from ds01.domain.container import Container, ContainerState, Door, StopReason
from ds01.domain.jobs.job import Job, JobEnd, JobId, JobState
from ds01.ports.ledger import Books
from ds01.services.caller import identify
from ds01.services.ending import record_removal
from ds01.services.remove import take_away
from ds01.services.stop import stop_held
from ds01.services.world import World


async def end(world: World, job_id: JobId) -> None:
    """SIGTERM, the grace, SIGKILL; for the reason that is written down with the job."""
    job, container = await world.ledger.read(lambda books: _running(books, job_id))
    if job is None or container is None:
        return
    async with world.locks.hold(job.uid, job.name, "its job"):
        job, container = await world.ledger.read(lambda books: _running(books, job_id))
        if job is not None and container is not None:
            caller = await identify(world, job.uid, Door.JOB)
            reason, detail = _reason(job)
            await stop_held(world, container, reason, detail, caller)


def _running(books: Books, job_id: JobId) -> tuple[Job | None, Container | None]:
    job = books.job(job_id)
    if job is None or job.state is not JobState.RUNNING or job.container is None:
        return None, None
    container = books.container(job.container)
    there = container is not None and container.state not in (ContainerState.STOPPED, ContainerState.REMOVED)
    return job, container if there else None


def _reason(job: Job) -> tuple[StopReason, str]:
    if job.end is JobEnd.RUNTIME:
        return StopReason.RUNTIME, job.detail
    return (StopReason.ADMIN, job.detail) if job.detail else (StopReason.USER, "")


async def clear(world: World, container: Container) -> None:
    """Remove the container of a job that is over; its log and its files are in the workspace."""
    async with world.locks.hold(container.uid, container.name, "its job"):
        seen = await world.engine.inspect(container.id)
        await take_away(world, container, seen, lambda books: _record(books, world, container))


def _record(books: Books, world: World, container: Container) -> None:
    current = books.container(container.id)
    if current is not None and current.state is not ContainerState.REMOVED:
        record_removal(books, current, now=world.clock.now(), actor=None, why="its job is over", told="its job is over")
