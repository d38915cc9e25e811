"""Why a job is as it is: how it waits, runs or ended, and its story with that of its containers."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from ds01.domain.container import Container, ContainerState, Door
from ds01.domain.events import Event, EventType, meant
from ds01.domain.jobs.job import Job, JobState
from ds01.domain.jobs.words import advice, sentence
from ds01.domain.quantity import show_duration
from ds01.domain.sentences import tell, who_did
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.jobs.afters import Afters
from ds01.services.jobs.show import Look, ordered, view
from ds01.services.people import names
from ds01.services.queue import story as waits
from ds01.services.queue import turn
from ds01.services.queue.place import SOON
from ds01.services.why import story
from ds01.services.world import World
from ds01.wire.containers import WhyEntry, WhyView

_JOB = meant("job")
_QUEUE = meant("queue")
_MOST = 500


async def why(world: World, caller: Caller, name: str) -> WhyView:
    """The story of what has this name: a job if that is the latest, else a container or a place in the queue.

    Raises Ds01Error (``container.unknown``) with the name that may be meant.
    """
    found = await world.ledger.read(lambda books: _job(books, world, caller, name))
    return found or await waits.why(world, caller, name)


def _job(books: Books, world: World, caller: Caller, name: str) -> WhyView | None:
    jobs = [job for job in books.called(caller.uid, name) if job.epoch == caller.epoch]
    if not jobs or _newer(books, caller, name, jobs):
        return None
    if len(jobs) > 1 or jobs[0].name != name:
        return _array(books, caller, name, jobs)
    (job,) = jobs
    seen = view(books, world, job, Look(called=names(books), afters=Afters(books), places=True))
    now = world.clock.now()
    waiting = seen.place is not None and seen.place.text != SOON
    return WhyView(
        name=name, state=seen.state, reason=seen.text, place=seen.place, job=True,
        summary=waits.waits_summary(seen.place, now) if seen.place and waiting else _summary(job, seen.text, now),
        entries=_entries(books, caller, _events(books, job)),
    )  # fmt: skip


def _newer(books: Books, caller: Caller, name: str, jobs: list[Job]) -> bool:
    """Whether the name has been something else since: a container, or a launch that waits."""
    container = books.named(caller.uid, name, removed=True)
    if container is not None and container.door is not Door.JOB:
        live = container.state is not ContainerState.REMOVED
        return live or container.created_at > max(job.ended_at or job.submitted_at for job in jobs)
    request = turn.named(books, caller.owner, name)
    return request is not None and request.interactive


def _summary(job: Job, text: str, now: datetime) -> str:
    order = ordered(job.order)
    log = f"Its log: {order.workspace}/{job.folder}/log"
    if job.state is JobState.RUNNING and job.started_at is not None:
        ran = show_duration(now - job.started_at)
        left = "" if job.deadline is None else f", of {show_duration(job.planned)} it may"
        again = f" It is attempt {job.attempt}." if job.attempt > 1 else ""
        stopping = " It is being stopped." if job.end is not None else ""
        return f"{job.name} has been running for {ran}{left}.{again}{stopping} {log}"
    if job.end is None or job.ended_at is None:
        return f"{job.name} {text}."
    told = [
        f"{sentence(job.name, job.end, job.detail)}.",
        f"It ended at {job.ended_at:%Y-%m-%d %H:%M} UTC{_after(job)}.",
    ]
    told += [advice(job.end)] if advice(job.end) else []
    return " ".join([*told, *([log] if job.ran else [])])


def _after(job: Job) -> str:
    if job.started_at is None or job.ended_at is None:
        return ""
    return f", after {show_duration(job.ended_at - job.started_at)}"


def _array(books: Books, caller: Caller, name: str, jobs: list[Job]) -> WhyView:
    counts = Counter(_standing(job) for job in jobs)
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    ids = {job.id for job in jobs}
    events = [event for event in books.events(uid=caller.uid, types=_JOB, limit=_MOST) if event.subject in ids]
    state = JobState.ENDED if not any(job.open for job in jobs) else JobState.RUNNING
    return WhyView(
        name=name, state=state.value, reason=told, summary=f"{name} has {len(jobs)} tasks: {told}.", job=True,
        entries=_entries(books, caller, events),
    )  # fmt: skip


def _standing(job: Job) -> str:
    if job.open:
        return {JobState.RUNNING: "running", JobState.QUEUED: "in the queue"}.get(job.state, "waiting")
    if job.succeeded:
        return "done"
    return {"exit": "failed", "cancelled": "cancelled"}.get(job.end.value if job.end else "", "ended otherwise")


def _events(books: Books, job: Job) -> list[Event]:
    """Its own, those of its containers with their leases, and of its wait."""
    found = {event.seq: event for event in books.events(subject=job.id, limit=_MOST)}
    if job.array:
        submitted = books.events(uid=job.uid, types=(EventType.JOB_SUBMITTED,), since=job.submitted_at, limit=_MOST)
        found |= {event.seq: event for event in submitted if event.details.get("name") == job.array}
    for event in books.events(uid=job.uid, types=_QUEUE, since=job.submitted_at, limit=_MOST):
        if event.details.get("name") == job.name and (job.ended_at is None or event.at <= job.ended_at):
            found[event.seq] = event
    for container in _containers(books, job):
        found |= {event.seq: event for event in story(books, [container])}
    return [found[seq] for seq in sorted(found)]


def _containers(books: Books, job: Job) -> list[Container]:
    if not job.ran:
        return []
    mine = books.containers_ever(job.uid, door=Door.JOB, name=job.name)
    until = job.ended_at
    return [
        container
        for container in mine
        if container.created_at >= job.submitted_at and (until is None or container.created_at <= until)
    ]


def _entries(books: Books, caller: Caller, events: list[Event]) -> tuple[WhyEntry, ...]:
    called = names(books)
    return tuple(
        WhyEntry(at=event.at.isoformat(), what=tell(event, who_did(event, called, caller.actor))) for event in events
    )  # fmt: skip
