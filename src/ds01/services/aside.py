"""Setting aside what breaks a rule: it is reported and left running, and nobody else is put on its GPU.

Stopping it could end work that did nothing wrong; leasing its GPU to somebody would make two people share one. Where
somebody has a lease of that GPU already they do share it, so there it is stopped (F3).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Set
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from ds01.domain.assembly import read_slots
from ds01.domain.container import Container, ContainerId, ContainerState, Observed, StopReason
from ds01.domain.events import EventType
from ds01.domain.gpu import SlotId
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.quarantine import Keeper
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.apart import Step
from ds01.services.ending import record_stop
from ds01.services.guard import spend
from ds01.services.tell import tell
from ds01.services.world import World

_log = logging.getLogger(__name__)

GRACE_SECONDS = 2
"""For what has no right to run where it runs."""
_IN_USE = "in use without a lease by container "


def set_aside(books: Books, container: Container, seen: Observed, reason: str, now: datetime) -> Container:
    """Take the container out of service, and the GPUs it uses with nobody's leave."""
    aside = replace(
        container, state=ContainerState.QUARANTINED, reason=StopReason.QUARANTINE, reason_detail=reason
    )  # fmt: skip
    books.put_container(aside)
    tell(books, EventType.CONTAINER_QUARANTINED, aside, at=now, actor=None, reason=reason)
    keep_free(books, container.id, set(read_slots(seen.labels)))
    return aside


def keep_free(books: Books, container: ContainerId, slots: Set[SlotId]) -> None:
    """Lease these slots to nobody while the container runs. Those that somebody has already stay hers."""
    leased = {slot for lease in books.open_leases() for slot in lease.slots}
    for slot in slots - leased - books.quarantined().keys():
        books.quarantine(slot, Keeper.CONTAINER, _IN_USE + container)


async def sharing(world: World, seen: Iterable[Observed]) -> list[tuple[ContainerId, Step]]:
    """How those of these containers are stopped that are set aside and run on a GPU of another lease. Each is looked at
    again under its lock; one that somebody acts on now is looked at next time.
    """
    running = tuple(each for each in seen if each.running)
    found = await world.ledger.read(lambda books: [(c, each) for each in running if (c := _sharing(books, each))])
    return [(container.id, partial(_end_sharing, world, container, each)) for container, each in found]


async def _end_sharing(world: World, container: Container, seen: Observed) -> None:
    if world.locks.busy(container.uid, container.name):
        return
    async with world.locks.hold(container.uid, container.name, "the reconciler", patience=1):
        await end_sharing_held(world, seen)


async def end_sharing_held(world: World, seen: Observed) -> None:
    """The same for one whose lock is held."""
    container = await world.ledger.read(lambda books: _sharing(books, seen))
    if container is None:
        return
    _log.warning("stopping what uses a GPU of another lease", extra={"container": container.id})
    await spend(world, container)
    with world.copies.ended(container.id):
        await world.engine.stop(container.id, GRACE_SECONDS)
    await world.ledger.write(lambda books: _ended(books, container, world.clock.now()))


def _sharing(books: Books, seen: Observed) -> Container | None:
    """The container set aside, if a slot it uses is of a lease that is not its own."""
    slots, container = set(read_slots(seen.labels)), books.container(seen.id)
    if not slots or container is None or container.state is not ContainerState.QUARANTINED:
        return None
    others = (lease for lease in books.open_leases() if lease.id != container.lease)
    return container if any(slots.intersection(lease.slots) for lease in others) else None


def _ended(books: Books, container: Container, now: datetime) -> None:
    """It stays out of service, and what it had itself is free."""
    stopped = record_stop(
        books, container, at=now, now=now, reason=StopReason.QUARANTINE, detail=container.reason_detail,
        hold=timedelta(0), actor=None,
    )  # fmt: skip
    books.put_container(replace(stopped, state=ContainerState.QUARANTINED, lease=None))


async def lift(world: World, seen: Iterable[Observed]) -> None:
    """Give back the GPUs of containers set aside that do not run any more, also those they have a lease of."""
    running = {each.id for each in seen if each.running}
    ended = await world.ledger.read(lambda books: _ended_aside(books, running))
    if ended:
        await world.ledger.write(lambda books: _release(books, ended, world.clock.now()))
    over = await world.ledger.read(lambda books: _over(books, running))
    if over:
        await world.ledger.write(lambda books: _lift(books, over))


def _over(books: Books, running: Iterable[str]) -> list[SlotId]:
    still = {_IN_USE + container for container in running}
    return [
        each.slot
        for each in books.quarantines()
        if each.keeper is Keeper.CONTAINER and each.reason not in still
    ]  # fmt: skip


def _lift(books: Books, slots: Iterable[SlotId]) -> None:
    for slot in slots:
        books.quarantine(slot, Keeper.CONTAINER, None)


def _ended_aside(books: Books, running: Set[str]) -> list[Lease]:
    containers = {c.id: c for c in books.containers() if c.state is ContainerState.QUARANTINED}
    active = (lease for lease in books.open_leases() if lease.state is LeaseState.ACTIVE)
    return [lease for lease in active if lease.container in containers.keys() - running]


def _release(books: Books, ended: Iterable[Lease], now: datetime) -> None:
    for lease in ended:
        leases.release(books, lease.id, "its container is out of service and does not run any more", now)
