"""Ending what is over: reservations, holds, leases of containers that are gone, folders pinned for nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from ds01.domain.container import Container, ContainerState, Observed
from ds01.domain.labels import Label
from ds01.domain.lease import Lease, LeaseId, LeaseState
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.countdown import Countdown
from ds01.services.hand_back import settle_owed
from ds01.services.world import World

_log = logging.getLogger(__name__)

ORPHANED_SECONDS = 600.0
"""Pins nobody claims for this long belong to nothing: no launch takes as long."""


class Ends:
    """Ends leases in time. One of these looks all the time: it counts down by the time that passes."""

    def __init__(self) -> None:
        self._countdown = Countdown()

    async def end(self, world: World) -> None:
        """Release what is over. Nothing is written when nothing is."""
        await settle_owed(world)
        now = world.clock.now()
        waiting, stray = await world.ledger.read(lambda books: (books.open_leases(), list(_stray(books, world))))
        over = self._countdown.over(waiting, now, world.clock.monotonic())
        if over or stray:
            for lease in await world.ledger.write(lambda books: _end(books, world, now, over)):
                _log.info("lease ended", extra={"lease": lease.id, "why": lease.reason})


async def forget_unmade(world: World, before: Collection[LeaseId]) -> None:
    """After a restart: reservations for containers that were being made, of those there were ``before``. Whoever made
    them is gone, or will be told. What was reserved since is being made now.
    """
    now = world.clock.now()
    if await world.ledger.read(lambda books: _unmade(books, before)):
        await world.ledger.write(lambda books: _forget(books, before, now))


def _unmade(books: Books, before: Collection[LeaseId]) -> list[Lease]:
    """What is kept for somebody whose turn it is was not being made: it stays."""
    names = {(c.uid, c.name) for c in books.containers()}
    kept = {request.lease for request in books.open_requests()}
    begun = [lease for lease in books.open_leases() if lease.container is None and lease.id not in kept]
    return [lease for lease in begun if lease.id in before and (lease.uid, lease.name) not in names]


def _forget(books: Books, before: Collection[LeaseId], now: datetime) -> None:
    for lease in _unmade(books, before):
        leases.release(books, lease.id, "its container was never made", now)


def _stray(books: Books, world: World) -> Iterable[tuple[Lease, Container | None]]:
    """Leases whose container does not have them (any more)."""
    for lease in books.open_leases():
        if lease.container is None or world.locks.busy(lease.uid, lease.name):
            continue
        container = next((c for c in books.containers(lease.uid) if c.id == lease.container), None)
        stopped = container is not None and container.state in (ContainerState.STOPPED, ContainerState.CREATING)
        if container is None or container.lease != lease.id or (stopped and lease.state is LeaseState.ACTIVE):
            yield lease, container


def _end(books: Books, world: World, now: datetime, over: Mapping[LeaseId, datetime]) -> tuple[Lease, ...]:
    ended = list(leases.expire(books, now, over))
    for lease, container in tuple(_stray(books, world)):
        if container is not None and container.lease == lease.id:
            leases.hold(books, lease.id, now + leases.RESERVATION, now)
        else:
            ended.append(leases.release(books, lease.id, "its container is gone", now))
    return tuple(ended)


class Orphans:
    """Pins without a container. Each is given time: a launch pins before its container exists."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    async def unpin(self, world: World, seen: Iterable[Observed]) -> None:
        """Undo those that have been orphans for long enough."""
        now = world.clock.monotonic()
        pinned = await asyncio.to_thread(world.host.pinned)
        claimed = {each.labels.get(Label.PINS, "") for each in seen}
        claimed |= await world.ledger.read(lambda books: {c.pins for c in books.containers()})
        self._since = {key: self._since.get(key, now) for key in pinned - claimed}
        for key in [key for key, since in self._since.items() if now - since >= ORPHANED_SECONDS]:
            _log.warning("unpinning what belongs to nothing", extra={"pins": key})
            await asyncio.to_thread(world.host.unpin, key)
