"""Giving jobs up: what waits ends at once, what runs is asked to end."""

from __future__ import annotations

from datetime import datetime

from ds01.domain.errors import WRONG_STATE, Ds01Error
from ds01.domain.jobs.job import Job, JobEnd, JobState, asked_to_end, ended
from ds01.domain.jobs.words import words
from ds01.domain.lease import LeaseId, LeaseState
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.hand_back import settle_owed
from ds01.services.jobs.afters import Afters
from ds01.services.jobs.find import find
from ds01.services.jobs.record import over
from ds01.services.jobs.show import Look, view
from ds01.services.people import names
from ds01.services.queue import turn
from ds01.services.world import World
from ds01.wire.jobs import JobsView


async def cancel(world: World, caller: Caller, name: str) -> JobsView:
    """The jobs that were open, as they are now. Raises Ds01Error when there is none (``job.unknown``), or none left
    to end (``container.state``).
    """

    def write(books: Books) -> tuple[JobsView, list[LeaseId]]:
        found = find(books, caller, name)
        given_up = [_cancel(books, job, caller, world.clock.now()) for job in found if job.open]
        if not given_up:
            raise _over(name, found)
        look = Look(called=names(books), afters=Afters(books))
        left = [lease for job in given_up if (lease := _turn(books, job)) is not None]
        return JobsView(name=name, jobs=tuple(view(books, world, job, look) for job in given_up)), left

    shown, left = await world.ledger.write(write)
    for lease in left:
        world.owed.add(lease, "its job was given up")
    if left:
        await settle_owed(world)
    return shown


def _turn(books: Books, job: Job) -> LeaseId | None:
    """What was reserved for one that is over before its container came to be. While that is in the making, it is not
    to be given back.
    """
    request = books.request(job.request) if job.request is not None and not job.open else None
    lease = books.lease(request.lease) if request is not None and request.lease is not None else None
    return lease.id if lease is not None and lease.state is LeaseState.RESERVED else None


def _cancel(books: Books, job: Job, caller: Caller, now: datetime) -> Job:
    admin = caller.actor_login if caller.for_another else ""
    if job.state is JobState.RUNNING:
        asked = asked_to_end(job, JobEnd.CANCELLED, admin)
        books.put_job(asked)
        return asked
    request = books.request(job.request) if job.request is not None else None
    if request is not None and request.state.open:
        turn.give_up(books, request, now, actor=caller.actor, reason=f"by admin {admin}" if admin else "")
    gone = ended(job, JobEnd.CANCELLED, now, detail=admin)
    return over(books, gone, now, actor=caller.actor)


def _over(name: str, found: tuple[Job, ...]) -> Ds01Error:
    ends = {words(job.end, job.detail) for job in found if job.end is not None}
    how = ends.pop() if len(ends) == 1 else "all its tasks have ended"
    return Ds01Error(WRONG_STATE, f"Job '{name}' has ended already: {how}.", hint=f"ds01 job show {name}")
