"""The loop that makes limits of time true: look, decide, tell, act.

Looking and deciding is quick and one for all. Telling and acting may take a minute (a grace, a mail server), so each
container has a task of its own; while that goes on it is looked at and nothing more is decided about it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import inf
from typing import Any

from ds01.domain.container import Container, ContainerId, ContainerState, Door
from ds01.domain.errors import BUSY, Ds01Error
from ds01.domain.gpu import Slot
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.lifecycle.activity import busy_with
from ds01.domain.lifecycle.case import LATE, OF_LIFE, ZERO, Case, Decision, Rule
from ds01.domain.lifecycle.decide import concerned, decide
from ds01.domain.limits import Limits, effective
from ds01.domain.people import Uid, User, nobody
from ds01.domain.queue.booking import Kind
from ds01.domain.settings import Settings
from ds01.ports.ledger import Books
from ds01.services.enforce import act
from ds01.services.enforce.look import look, note
from ds01.services.enforce.memory import Watched
from ds01.services.enforce.one import One
from ds01.services.limits import of_everybody
from ds01.services.meter import Account
from ds01.services.world import World

_log = logging.getLogger(__name__)

PERIOD_SECONDS = 15.0
"""How often everything is looked at."""
WRITE_SECONDS = 60.0
"""How often the account of what was consumed is written down."""
LEARN_SECONDS = 60.0
"""How often everybody's limits are asked for again: groups change in the directory, too."""
MOST_OPEN = 100_000
"""Open notices looked through at a start: those that nobody has read yet are among them."""
RUNNING = (ContainerState.RUNNING, ContainerState.PAUSED)

ABSENT_SECONDS = 86_400.0
"""How long an account is not there before it counts as gone: with a directory server that is away none of its is."""

SHORT = 10
"""Of a short time no more than the tenth part is for its end."""

Owners = Mapping[tuple[Uid, str], tuple[User, Limits]]


@dataclass(frozen=True, kw_only=True)
class _Books:
    """What the ledger says, in one look."""

    containers: tuple[Container, ...]
    leases: Mapping[str, Lease]
    slots: tuple[Slot, ...]
    busy: float
    swept: frozenset[str]
    """Classes, whose containers are removed when they are over."""
    begins: frozenset[datetime]
    """When bookings begin."""


class Enforcer:
    """One of these looks all the time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tasks: dict[ContainerId, asyncio.Task[None]] = {}
        self._account = Account(world)
        self._written = 0.0
        self._begun = False
        self._owners: Owners = {}
        self._asked: frozenset[tuple[Uid, Door]] = frozenset()
        self._begins: frozenset[datetime] = frozenset()
        self._absent: dict[Uid, float] = {}
        self._now, self._rules = (world.clock.now(), 0.0), world.settings().lifecycle
        self._learned: tuple[Settings | None, float] = (None, -inf)

    async def round(self) -> None:
        """Look at everything once, and begin what is due."""
        world, memory = self._world, self._world.memory
        now, monotonic = world.clock.now(), world.clock.monotonic()
        if not self._begun:
            await self._account.begin()
            await world.ledger.write(lambda books: _begin_anew(books, now))
            self._begun, self._written = True, monotonic
        books = await world.ledger.read(_read)
        self._now, self._rules, self._begins = (now, monotonic), world.settings().lifecycle, books.begins
        memory.tick(now, monotonic)
        memory.keep((container.id for container in books.containers), monotonic)
        memory.remember(int(world.settings().lifecycle.idle.window.total_seconds() / PERIOD_SECONDS) + 1)
        memory.busy = books.busy
        await self._look(books, monotonic)
        owners = await self._learn(books.containers, monotonic)
        gone = self._gone(books.containers, owners, monotonic)
        for container in books.containers:
            owner = owners.get((container.uid, container.door.value))
            lease = books.leases.get(container.id)
            if container.id in self._tasks:
                continue
            if container.state is ContainerState.QUARANTINED or container.uid in gone:
                self._judge_nobodys(container, lease)
            elif owner is not None:
                self._judge(container, lease, *owner, swept=lease is not None and lease.booking in books.swept)
        await self._charge(monotonic)

    async def settle(self) -> None:
        """Wait for what was begun."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """ds01d stops: what is being told or stopped is not waited for; the account is written down."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._account.write()

    async def _charge(self, monotonic: float) -> None:
        """Write the account down, now and then."""
        if monotonic - self._written >= WRITE_SECONDS:
            self._written = monotonic
            await self._account.write()

    async def _look(self, books: _Books, monotonic: float) -> None:
        world = self._world
        running = [c for c in books.containers if c.state in RUNNING or _runs_aside(c, books.leases.get(c.id))]
        seen = await asyncio.to_thread(look, world, running)
        rule = world.settings().lifecycle.idle
        for container in running:
            watched = world.memory.get(container.id)
            if watched is None:
                continue
            known = self._owners.get((container.uid, container.door.value))
            cpus = min(known[1].cpus, float(world.cpus)) if known else float(world.cpus)
            note(watched, seen, container.id, books.leases.get(container.id), cpus, monotonic)
            watched.busy_with = busy_with(watched.history, rule)
            if watched.busy_with:
                watched.active_at = monotonic
            paused_now = container.state is ContainerState.PAUSED
            watched.paused_at = (watched.paused_at or monotonic) if paused_now else None
        charged = [container for container in running if container.state in RUNNING]
        self._account.note(seen, charged, books.leases, books.slots, monotonic)

    async def _learn(self, containers: Iterable[Container], monotonic: float) -> Owners:
        """Whose they are and what she may, asked again now and then and when the limits changed. That an account is not
        there is known as long.
        """
        settings, since = self._learned
        fresh = settings is self._world.settings() and monotonic - since < LEARN_SECONDS
        wanted = frozenset((container.uid, container.door) for container in containers)
        if not fresh or not wanted <= self._asked:
            self._owners = await asyncio.to_thread(of_everybody, self._world, wanted)
            self._learned, self._asked = (self._world.settings(), monotonic), wanted
        return self._owners

    def _gone(self, containers: Iterable[Container], owners: Owners, monotonic: float) -> frozenset[Uid]:
        """Whose accounts were not there for long enough."""
        absent = {c.uid for c in containers if (c.uid, c.door.value) not in owners}
        self._absent = {uid: self._absent.get(uid, monotonic) for uid in absent}
        return frozenset(uid for uid, since in self._absent.items() if monotonic - since >= ABSENT_SECONDS)

    def _judge(
        self, container: Container, lease: Lease | None, user: User, limits: Limits, *, swept: bool = False
    ) -> None:  # fmt: skip
        """Decide, and begin what follows. What may wait for a file or a mail server is done in a task of its own.

        Who booked a GPU may let it idle, and has it to the end of the booking: nobody else was promised it, and a class
        listens before it computes.
        """
        watched = self._world.memory.get(container.id)
        if watched is None:
            return
        holds_gpu = lease is not None and lease.state is LeaseState.ACTIVE
        everywhere = limits.runtime_without_gpu
        if not watched.said and not concerned(container.state, holds_gpu=holds_gpu, everywhere=everywhere):
            watched.standing = {}
            return
        if lease is not None and lease.booking:
            limits = replace(limits, idle=None, runtime=None)
        sweep = self._world.settings().bookings.sweep
        case = self._case(container, lease, limits, watched)
        one = One(self._world, container, user, limits, lease, watched, swept=swept and sweep)
        decision = one.decide(case)
        if one.waits() or _ends_idle(decision, limits):
            self._begin(container, one.attend(case))
        elif decision.asks:
            self._begin(container, one.carry_out(case, decision))

    def _judge_nobodys(self, container: Container, lease: Lease | None) -> None:
        """One of an account that is gone, or was another's: it keeps its GPU for as long as who is in no group may, and
        nobody is there to be warned. Without a GPU it may run on, as before.
        """
        watched = self._world.memory.get(container.id)
        if watched is None or lease is None or lease.state is not LeaseState.ACTIVE:
            return
        user, now = nobody(container.uid), self._now[0]
        limits = effective(self._world.settings().policy, user, container.door, now)
        booked = "booking" if lease.booking else ""
        unwarned = replace(limits, lead=ZERO, gpu_hold=ZERO)
        if booked:
            unwarned = replace(unwarned, idle=None, runtime=None)
        stands = replace(container, kept_until=None)
        if container.state is ContainerState.QUARANTINED:  # its job is over, too: that ends nothing in time any more
            stands = replace(stands, state=ContainerState.RUNNING, door=Door.DOCKER)
        execute = decide(self._case(stands, lease, unwarned, watched), {}).execute
        if execute is not None:
            why = booked if execute.due.rule is Rule.RUNTIME else ""
            self._begin(container, _end(act.stop(self._world, user, unwarned, container, execute.due, why, aside=True)))

    def _begin(self, container: Container, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks[container.id] = task
        task.add_done_callback(lambda done: self._done(container.id, done))

    def _done(self, container: ContainerId, task: asyncio.Task[None]) -> None:
        """One that failed is tried again at the next look."""
        del self._tasks[container]
        error = None if task.cancelled() else task.exception()
        if error is None or (isinstance(error, Ds01Error) and error.kind is BUSY):
            return
        why = error.problem.message if isinstance(error, Ds01Error) else repr(error)
        trace = None if isinstance(error, Ds01Error) else error
        _log.warning("a rule could not be carried out", extra={"container": container, "why": why}, exc_info=trace)

    def _case(self, container: Container, lease: Lease | None, limits: Limits, watched: Watched) -> Case:
        memory, (now, monotonic) = self._world.memory, self._now
        up = memory.since(watched, "started", container.started_at)
        return Case(
            container=container, limits=limits, rules=self._rules,
            holds_gpu=lease is not None and lease.state is LeaseState.ACTIVE, busy=memory.busy,
            up=up, ran=container.ran + up, quiet=_seconds(monotonic, watched.active_at),
            paused=_seconds(monotonic, watched.paused_at),
            stopped=memory.since(watched, "stopped", container.stopped_at),
            age=memory.since(watched, "created", container.created_at),
            asked_left=self._asked_left(lease, watched), planned=None if lease is None else lease.planned,
            early=self._early(lease, limits),
            kept=_kept(container, now),
            wanted=lease is not None and lease.id in self._world.line.giving_way,
        )  # fmt: skip

    def _asked_left(self, lease: Lease | None, watched: Watched) -> timedelta | None:
        """What is left of the time its GPU was given for."""
        if lease is None or lease.planned is None:
            return None
        return lease.planned - self._world.memory.since(watched, "granted", lease.granted_at)

    def _early(self, lease: Lease | None, limits: Limits) -> timedelta:
        """How much sooner it is asked to end: a booking after it begins when its programs have had their grace."""
        if lease is None or lease.planned is None:
            return ZERO
        ending = min(limits.stop_grace + LATE, lease.planned / SHORT)
        over = lease.granted_at + lease.planned
        return ending if any(over <= begin < over + ending for begin in self._begins) else ZERO


async def _end(stop: Awaitable[object]) -> None:
    await stop


def _runs_aside(container: Container, lease: Lease | None) -> bool:
    """Whether it is out of service and has its GPU still."""
    return container.state is ContainerState.QUARANTINED and lease is not None and lease.state is LeaseState.ACTIVE


def _ends_idle(decision: Decision, limits: Limits) -> bool:
    """Whether its owner's word, which may be a file, would matter now."""
    found = decision.standing.get(Rule.IDLE, decision.standing.get(Rule.PAUSED))
    return found is not None and found <= limits.lead


def _kept(container: Container, now: datetime) -> timedelta:
    return ZERO if container.kept_until is None else max(ZERO, container.kept_until - now)


def _seconds(now: float, since: float | None) -> timedelta:
    return ZERO if since is None else timedelta(seconds=now - since)


def _begin_anew(books: Books, now: datetime) -> None:
    """What a ds01d before this one warned of is over: whom it is still about is warned anew, with the whole lead."""
    for notice in books.notices(limit=MOST_OPEN):
        if notice.warns and notice.rule in OF_LIFE:
            books.put_notice(replace(notice, ended_at=now))


def _read(books: Books) -> _Books:
    leases, bookings = books.open_leases(), books.bookings()
    return _Books(
        containers=books.containers(),
        leases={lease.container: lease for lease in leases if lease.container is not None},
        slots=books.slots(),
        begins=frozenset(one.begins_at for one in bookings),
        swept=frozenset(one.id for one in bookings if one.kind is Kind.CLASS),
        busy=_share(books.slots(vanished=False), leases),
    )


def _share(slots: Sequence[Slot], leases: Sequence[Lease]) -> float:
    """Of the server's GPUs, how much is leased."""
    every = sum((slot.gpueq for slot in slots), Fraction(0))
    return float(sum((lease.gpueq for lease in leases), Fraction(0)) / every) if every else 0.0
