"""Keeping the ledger true: at start, on the engine's events, and every few seconds.

One list call tells what changed; only that is inspected. Each container is looked at again under its lock, so that a
verb in the middle of its work is never taken for a surprise.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

from ds01.domain.container import Container, ContainerId, ContainerState, Label, Observed
from ds01.domain.errors import BUSY, Ds01Error
from ds01.domain.names import stored_container
from ds01.domain.reconcile import Outage, Verdict, judge, parked
from ds01.services.aside import lift
from ds01.services.repair import repair
from ds01.services.strangers import clear, meet, recover_tags
from ds01.services.tidy import Ends, Orphans, forget_unmade
from ds01.services.world import World

BOOT = "boot"
"""The ledger's note of the boot under which it was last written."""


class Reconciler:
    """Compares and repairs. ``first`` before anybody is served, ``round`` and ``look`` from then on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._orphans = Orphans()
        self._ends = Ends()
        self._rebooted = False
        self._outages: list[Outage] = []

    async def first(self) -> None:
        """The first round: the host may have restarted meanwhile, the ledger may be new."""
        world = self._world
        boot = await asyncio.to_thread(world.host.boot_id)
        before = await world.ledger.read(lambda books: books.note(BOOT))
        self._rebooted = before is not None and before != boot
        await self.round()
        await forget_unmade(world)
        await recover_tags(world)
        if before != boot:
            await world.ledger.write(lambda books: books.put_note(BOOT, boot))
        self._rebooted = False

    async def round(self) -> None:
        """Look at everything once."""
        world = self._world
        seen = {each.id: each for each in await world.engine.list()}
        known = await world.ledger.read(lambda books: {c.id: c for c in books.containers()})
        for container in known.values():
            if _odd(container, seen.get(container.id)):
                await self._settle(container)
        for stranger in seen.values():
            if stranger.id not in known and Label.OWNER in stranger.labels:
                await meet(world, stranger)
        await lift(world, seen.values())
        await self.end_leases()
        await self._orphans.unpin(world, seen.values())

    async def look(self, container: ContainerId) -> None:
        """The engine says that something happened to this container."""
        known = await self._world.ledger.read(lambda books: books.container(container))
        if known is None:
            seen = await self._world.engine.inspect(container)
            if seen is not None:
                await meet(self._world, seen)
        elif known.state is not ContainerState.REMOVED:
            await self._settle(known)

    async def end_leases(self) -> None:
        """Release the reservations and holds that are over."""
        await self._ends.end(self._world)

    def lost(self, now: datetime) -> None:
        """The engine went away."""
        if not self._outages or self._outages[-1].until is not None:
            self._outages = [*self._outages[-9:], Outage(since=now)]

    def back(self, now: datetime) -> None:
        """The engine answers again."""
        if self._outages and self._outages[-1].until is None:
            self._outages[-1] = replace(self._outages[-1], until=now)

    async def _settle(self, container: Container) -> None:
        """Look again under the lock, then write down what is. Whoever is at work on it now writes it herself."""
        world = self._world
        if world.locks.busy(container.uid, container.name):
            return
        try:
            async with world.locks.hold(container.uid, container.name, "the reconciler", patience=1):
                await self._settle_held(container)
        except Ds01Error as error:
            if error.kind is not BUSY:
                raise

    async def _settle_held(self, container: Container) -> None:
        world = self._world
        known = await world.ledger.read(lambda books: books.container(container.id))
        if known is None or known.state is ContainerState.REMOVED:
            return
        seen = await world.engine.inspect(container.id)
        await repair(world, known, seen, rebooted=self._rebooted, outages=self._outages)
        if seen is not None and parked(seen, known):
            await self._unpark(known)

    async def _unpark(self, container: Container) -> None:
        """Its replacement never came to be: clear what bears its name, and give the name back."""
        name = stored_container(container.name, container.uid)
        for other in await self._world.engine.list():
            if other.stored_name == name and Label.OWNER in other.labels:
                await clear(self._world, other)
        await self._world.engine.rename(container.id, name)


def _odd(container: Container, seen: Observed | None) -> bool:
    return judge(container, seen) is not Verdict.TRUE or (seen is not None and parked(seen, container))
