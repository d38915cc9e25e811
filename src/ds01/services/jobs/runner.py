"""Carries jobs through: looks whenever something may have changed, decides in one transaction, and does what follows.

What takes time is done beside, a few at once; a job is never begun twice at the same time, and what fails is tried
again after a while that grows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf

from ds01.domain.container import ContainerId, Door
from ds01.domain.errors import NO_USER, Ds01Error
from ds01.domain.events import EventType, meant
from ds01.domain.jobs.job import Job, JobId
from ds01.domain.queue.plan import Owner
from ds01.domain.settings import Settings
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, identify
from ds01.services.countdown import Countdown
from ds01.services.jobs.advance import Given, Todo, advance, owner_of
from ds01.services.jobs.begin import begin
from ds01.services.jobs.finish import clear, end
from ds01.services.world import World

_log = logging.getLogger(__name__)

PERIOD_SECONDS = 2.0
BURST_SECONDS = 0.02
"""What comes so soon after a look is waited for with what comes with it."""
LEARN_SECONDS = 60.0
AT_ONCE = 4
"""Containers begun, ended and cleared at the same time, each: the engine does little more at once."""
REST_SECONDS = (5.0, 15.0, 60.0)
"""How long a job rests after its first, second and every later start that came to nothing."""
FORGET_SECONDS = 600.0
CLOSING_SECONDS = 10.0
RELEVANT = (
    *meant("job"), EventType.QUEUE_TURN, EventType.QUEUE_CANCELLED, EventType.QUEUE_EXPIRED,
    EventType.CONTAINER_STOPPED, EventType.CONTAINER_REMOVED, EventType.CONTAINER_RECOVERED,
    EventType.LEASE_RELEASED, EventType.LEASE_REVOKED, EventType.POLICY_RELOADED,
)  # fmt: skip


class Runner:
    """One of these looks all the time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._countdown = Countdown()
        self._seen = 0
        self._passed = -inf
        self._known: dict[Owner, Caller] = {}
        self._learned: tuple[Settings | None, float] = (None, -inf)
        self._done = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[bool]] = {}
        self._failures: dict[str, tuple[int, float]] = {}
        self._room = {act: asyncio.Semaphore(AT_ONCE) for act in ("begin", "end", "clear")}

    async def round(self) -> None:
        """Wait until there may be something to do, and do it."""
        world = self._world
        await self._stir()
        if world.clock.monotonic() - self._passed < BURST_SECONDS:
            await world.clock.sleep(BURST_SECONDS)
        last = await world.ledger.wait(self._seen, 0)
        late = world.clock.monotonic() - self._passed >= PERIOD_SECONDS
        if late or self._done.is_set() or world.ledger.heard(self._seen, RELEVANT):
            self._done.clear()
            await self.take()
        self._seen = last

    async def _stir(self) -> None:
        """Wait for an event of the ledger, or until something that was begun here is done."""
        waits = asyncio.ensure_future(self._world.ledger.wait(self._seen, PERIOD_SECONDS, RELEVANT))
        done = asyncio.ensure_future(self._done.wait())
        try:
            await asyncio.wait({waits, done}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waits.cancel()
            done.cancel()

    async def take(self) -> Todo:
        """One look at all jobs; what follows is begun and goes on by itself."""
        world = self._world
        self._passed = world.clock.monotonic()
        self._failures = {key: one for key, one in self._failures.items() if one[1] + FORGET_SECONDS > self._passed}
        await self._learn(self._known.keys())
        todo, owners = await self._advance()
        if unknown := owners - self._known.keys():
            await self._learn(owners)
            if owners - self._known.keys() != unknown:
                todo, _ = await self._advance()
        for job in todo.begin:
            self._start("begin", job.id, lambda job=job: begin(world, job))  # type: ignore[misc]
        for job in todo.end:
            self._start("end", job.id, lambda job=job: end(world, job.id))  # type: ignore[misc]
        for container in todo.clear:
            self._start("clear", container.id, lambda container=container: clear(world, container))  # type: ignore[misc]
        return todo

    async def _advance(self) -> tuple[Todo, set[Owner]]:
        """The next step of every job whose owner is known, and who all the owners are."""
        now = self._world.clock.now()
        given = Given(now=now, known=dict(self._known), resting=self._resting(), busy=self._busy())

        def step(books: Books) -> tuple[Todo, set[Owner]]:
            ends, owners = _look(books)
            late = self._countdown.past(ends, now, self._passed)
            return advance(books, replace(given, late=late.keys())), owners

        return await self._world.ledger.write(step)

    async def settled(self) -> None:
        """Return when nothing is being done."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def close(self) -> None:
        """Let what is being done come to its end: a job whose command has begun must not begin again. What takes too
        long is taken back.
        """
        tasks = set(self._tasks.values())
        late = (await asyncio.wait(tasks, timeout=CLOSING_SECONDS))[1] if tasks else ()
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _busy(self) -> frozenset[JobId]:
        return frozenset(JobId(key.partition(" ")[2]) for key in self._tasks)

    def _resting(self) -> frozenset[JobId]:
        return frozenset(JobId(key.partition(" ")[2]) for key in self._failures if self._rests(key))

    def _rests(self, key: str) -> bool:
        _, until = self._failures.get(key, (0, -inf))
        return self._world.clock.monotonic() < until

    def _start(self, act: str, subject: str, work: Callable[[], Awaitable[object]]) -> None:
        key = f"{act} {subject}"
        if key not in self._tasks and not self._rests(key):
            task = self._tasks[key] = asyncio.create_task(self._do(act, work))
            task.add_done_callback(lambda task: self._over(key, task))

    async def _do(self, act: str, work: Callable[[], Awaitable[object]]) -> bool:
        """Do it when there is room; False when it came to nothing."""
        async with self._room[act]:
            return await work() is not False

    def _over(self, key: str, task: asyncio.Task[bool]) -> None:
        """Whatever it raised is logged and not the end of the others."""
        del self._tasks[key]
        self._done.set()
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Ds01Error):
            _log.warning(
                "left for later", extra={"what": key, "why": f"{error.problem.message} {error.problem.reason}"}
            )
        elif error is not None:
            _log.error("a job could not be carried on", extra={"what": key}, exc_info=error)
        self._remember(key, good=error is None and task.result())

    def _remember(self, key: str, *, good: bool) -> None:
        if good:
            self._failures.pop(key, None)
            return
        times = self._failures.get(key, (0, 0.0))[0]
        rest = REST_SECONDS[min(times, len(REST_SECONDS) - 1)]
        self._failures[key] = (times + 1, self._world.clock.monotonic() + rest)

    async def _learn(self, owners: Set[Owner]) -> None:
        """Who the owners of open jobs are and what they may have, asked again when that may have changed."""
        world = self._world
        settings, since = self._learned
        if settings is not world.settings() or self._passed - since >= LEARN_SECONDS:
            self._known, self._learned = {}, (world.settings(), self._passed)
        for owner in owners - self._known.keys():
            try:
                caller = await identify(world, owner.uid, Door.JOB)
            except Ds01Error as error:
                if error.kind is not NO_USER:
                    raise
                continue
            self._known[caller.owner] = caller


def _look(books: Books) -> tuple[dict[JobId, datetime | None], set[Owner]]:
    """When the time of each running job is over (``ds01 extend`` moves that), and whose the open jobs are."""
    jobs = books.open_jobs()
    limited = any(job.deadline is not None for job in jobs)
    more = {c.id: c.extended for c in books.containers(door=Door.JOB)} if limited else {}
    ends = {job.id: _deadline(job, more) for job in jobs}
    return ends, {owner_of(job) for job in jobs}


def _deadline(job: Job, more: Mapping[ContainerId, timedelta]) -> datetime | None:
    end, container = job.deadline, job.container
    return end if end is None or container is None else end + more.get(container, timedelta(0))
