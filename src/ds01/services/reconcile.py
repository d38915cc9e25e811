"""Keeping the ledger true: at start, on the engine's events, and every few seconds.

One list call tells what changed; only that is inspected. Each container is looked at again under its lock, so that a
verb in the middle of its work is never taken for a surprise. One that does not answer keeps nobody waiting: it is
looked at again in the next round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from ds01.domain.container import Container, ContainerId, ContainerState, Observed, StopReason
from ds01.domain.errors import BUSY, SILENT, Ds01Error
from ds01.domain.events import EventType
from ds01.domain.labels import Label
from ds01.domain.lease import LeaseId
from ds01.domain.names import stored_container
from ds01.domain.quantity import show_size
from ds01.domain.reconcile import Outage, Verdict, fell_with_engine, judge, parked
from ds01.ports.engine import LOOK_SECONDS
from ds01.ports.ledger import Books
from ds01.services import fence, networks, planted, volumes
from ds01.services.apart import WAIT_SECONDS, Rounds, Step
from ds01.services.aside import lift, sharing
from ds01.services.guard import forget, mark, publish, tell_refusals
from ds01.services.intents import Intents
from ds01.services.lost import find_again, is_lost
from ds01.services.repair import repair
from ds01.services.seal import older_key
from ds01.services.settled import raise_first, settle_each
from ds01.services.strangers import clear, meet
from ds01.services.tell import tell
from ds01.services.tidy import Ends, Orphans, forget_unmade
from ds01.services.world import World

BOOT = "boot"
"""The ledger's note of the boot under which it was last written."""
_STANDING = (ContainerState.RUNNING, ContainerState.PAUSED)
ONCE_IN = timedelta(minutes=1)
"""How often one container's full memory is worth an event."""
DEATH_KEPT = timedelta(minutes=1)
"""How long it is known how a container ended that may be gone with its end."""


@dataclass(frozen=True, kw_only=True)
class Death:
    """The end of a container's program, as the engine told it."""

    exit_code: int
    at: datetime


class Reconciler:
    """Compares and repairs: everything in a ``round``, one container with ``look``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._orphans = Orphans()
        self._intents = Intents()
        self._ends = Ends()
        self._rebooted = False
        self._begun = False
        self._unsealed = False
        self._unmet = False
        self._marked = False
        self._before: frozenset[LeaseId] | None = None
        self._outages: list[Outage] = []
        self._out_of_memory: dict[ContainerId, datetime] = {}
        self._died: dict[ContainerId, Death] = {}
        self._apart = Rounds(world.clock)

    async def round(self) -> None:
        """Look at everything once. The first time that succeeds, the host may have restarted meanwhile, the ledger may
        be a new one for one that was lost, and what ds01d was making when it died never came to be. That may be long
        after the first time: an engine that comes late is met by people, too.
        """
        if self._begun:
            raise_first(await self._look_round())
            return
        world = self._world
        if self._before is None:
            self._before = await world.ledger.read(lambda books: frozenset(lease.id for lease in books.open_leases()))
        boot = await asyncio.to_thread(world.host.boot_id)
        before, lost, key = await world.ledger.read(lambda books: (books.note(BOOT), is_lost(books), older_key(books)))
        self._rebooted, new = before is not None and before != boot, before is None and lost
        self._unsealed = new and key is None
        failed = await self._look_round()
        if self._unmet:  # what was being made may be one of those
            raise_first(failed)
            return
        await forget_unmade(world, self._before)
        if new:
            await find_again(world)
        if before != boot:
            await world.ledger.write(lambda books: books.put_note(BOOT, boot))
        self._rebooted, self._unsealed, self._begun = False, False, True
        raise_first(failed)

    async def _look_round(self) -> list[BaseException]:
        """Everything once, each thing whatever became of the others; what failed is the answer."""
        world = self._world
        seen = {each.id: each for each in await world.engine.list()}
        known = await world.ledger.read(lambda books: {c.id: c for c in books.containers()})
        odd = [container for container in known.values() if _odd(container, seen.get(container.id))]
        strangers = [one for one in seen.values() if one.id not in known and Label.OWNER in one.labels]
        running = [c for c in known.values() if c.state in _STANDING and not _odd(c, seen.get(c.id))]
        failed = await self._each((one.id, partial(self._settle, one, rebooted=self._rebooted)) for one in odd)
        failed += await self._meet(strangers)
        failed += await self._apart.settle(await sharing(world, seen.values()))
        steps: list[Callable[[], Awaitable[object]]] = [
            partial(self._intents.forget, world, running),
            partial(lift, world, seen.values()),
            self.end_leases,
            partial(self._orphans.unpin, world, seen.values()),
            partial(publish, world),
            partial(tell_refusals, world),
            partial(self._forget_grants, seen),
            partial(volumes.tidy, world),
            partial(networks.tidy, world),
            partial(fence.keep, world),
            partial(planted.look, world),
        ]
        return failed + await settle_each(steps)

    async def _meet(self, strangers: Sequence[Observed]) -> list[BaseException]:
        """Each of them, and whether there are some left of which nothing is known yet."""
        steps = ((one.id, partial(meet, self._world, one, believed=self._unsealed)) for one in strangers)
        failed = await self._each(steps)
        silent = any(isinstance(error, Ds01Error) and error.kind is SILENT for error in failed)
        self._unmet = silent or any(self._apart.goes_on(one.id) for one in strangers)
        return failed

    async def _each(self, steps: Iterable[tuple[ContainerId, Step]]) -> list[BaseException]:
        """Each container's step apart from the others'. The first time all are waited for, for as long as a look may
        take: what was being made is forgotten then.
        """
        if self._begun:
            return await self._apart.settle(steps)
        return await self._apart.settle(steps, LOOK_SECONDS + WAIT_SECONDS, slow=True)

    async def close(self) -> None:
        """ds01d stops: what does not answer is not waited for."""
        await self._apart.close()

    async def look(self, container: ContainerId) -> None:
        """The engine says that something happened to this container."""
        known = await self._world.ledger.read(lambda books: books.container(container))
        if known is None:
            seen = await self._world.engine.inspect(container, seconds=LOOK_SECONDS)
            if seen is not None:
                await meet(self._world, seen)
        elif known.state is not ContainerState.REMOVED:
            await self._settle(known)

    async def died(self, container: ContainerId, exit_code: int) -> None:
        """The engine says that this container's program ended. One that goes with its end leaves nothing else to read,
        and whoever is at work on it now may keep it from being looked at for a moment.
        """
        now = self._world.clock.now()
        self._died = {key: death for key, death in self._died.items() if now - death.at < DEATH_KEPT}
        self._died[container] = Death(exit_code=exit_code, at=now)
        await self.look(container)

    async def out_of_memory(self, container: ContainerId) -> None:
        """The kernel ended a program in this container. Told once in a while: a program may try again and again."""
        world, now = self._world, self._world.clock.now()
        known = await world.ledger.read(lambda books: books.container(container))
        seen = await world.engine.inspect(container, seconds=LOOK_SECONDS) if known is not None else None
        told = self._out_of_memory.get(container)
        if known is None or seen is None or (told is not None and now - told < ONCE_IN):
            return
        self._out_of_memory = {key: at for key, at in self._out_of_memory.items() if now - at < ONCE_IN}
        self._out_of_memory[container] = now
        limit, peak = show_size(seen.memory_limit_bytes), await self._peak(known)
        kind = EventType.CONTAINER_OUT_OF_MEMORY
        await world.ledger.write(lambda books: tell(books, kind, known, at=now, actor=None, limit=limit, peak=peak))

    async def _peak(self, container: Container) -> str:
        """The most memory it had. Read now: its counters go with it."""
        world = self._world
        read = await asyncio.to_thread(world.meters.read, [(container.id, container.uid)])
        found = read[container.id].memory_peak_bytes
        if not found:
            return ""
        world.memory.note_peak(container.id, found)
        return show_size(found)

    async def _forget_grants(self, seen: Collection[ContainerId]) -> None:
        """Not before it was written down, the first time, what only they tell."""
        if not self._marked:
            await mark(self._world)
            self._marked = True
        await forget(self._world, seen)

    async def end_leases(self) -> None:
        """Release the reservations and holds that are over."""
        await self._ends.end(self._world)

    async def lost(self, now: datetime) -> None:
        """The engine went away. What it stopped on its way did not end by itself."""
        if self._outages and self._outages[-1].until is None:
            return
        self._outages = [*self._outages[-9:], Outage(since=now)]
        await self._world.ledger.write(lambda books: _blame_engine(books, now))

    def back(self, now: datetime) -> None:
        """The engine answers again."""
        if self._outages and self._outages[-1].until is None:
            self._outages[-1] = replace(self._outages[-1], until=now)

    async def _settle(self, container: Container, *, rebooted: bool = False) -> None:
        """Look again under the lock, then write down what is. Whoever is at work on it now writes it herself."""
        world = self._world
        if world.locks.busy(container.uid, container.name):
            return
        try:
            async with world.locks.hold(container.uid, container.name, "the reconciler", patience=1):
                await self._settle_held(container, rebooted=rebooted)
        except Ds01Error as error:
            if error.kind is not BUSY:
                raise

    async def _settle_held(self, container: Container, *, rebooted: bool) -> None:
        world = self._world
        known = await world.ledger.read(lambda books: books.container(container.id))
        if known is None or known.state is ContainerState.REMOVED:
            return
        seen = await world.engine.inspect(container.id, seconds=LOOK_SECONDS)
        death = self._died.pop(container.id, None)
        await repair(world, known, seen, rebooted=rebooted, outages=self._outages,
                     died=death.exit_code if death is not None else None)  # fmt: skip
        if seen is not None and parked(seen, known):
            await self._unpark(known)

    async def _unpark(self, container: Container) -> None:
        """Its replacement never came to be: clear what bears its name, and give the name back."""
        name = stored_container(container.name, container.uid)
        for other in await self._world.engine.list():
            if other.stored_name == name and Label.OWNER in other.labels:
                await clear(self._world, other)
        await self._world.engine.rename(container.id, name)


def _blame_engine(books: Books, lost_at: datetime) -> None:
    for container in [one for one in books.containers() if fell_with_engine(one, lost_at)]:
        corrected = replace(container, reason=StopReason.ENGINE, reason_detail="")
        books.put_container(corrected)
        at = container.stopped_at or container.created_at
        tell(books, EventType.CONTAINER_STOPPED, corrected, at=at, actor=None, reason=StopReason.ENGINE.value)


def _odd(container: Container, seen: Observed | None) -> bool:
    return judge(container, seen) is not Verdict.TRUE or (seen is not None and parked(seen, container))
