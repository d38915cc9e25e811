"""Changes of a container through the Docker door: another name, other amounts."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace

from ds01.domain.assembly import at_most, resources
from ds01.domain.container import Container, ContainerState
from ds01.domain.errors import Ds01Error
from ds01.domain.events import EventType
from ds01.domain.lease import Lease
from ds01.domain.limits import effective
from ds01.domain.names import stored_container
from ds01.ports.engine import LOOK_SECONDS
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, identify
from ds01.services.door.known import shown
from ds01.services.door.own import in_service, name_taken, still, unknown
from ds01.services.ending import open_lease, promised_lease
from ds01.services.find import mine
from ds01.services.queue.turn import kept_for
from ds01.services.tell import tell
from ds01.services.world import World
from ds01.wire.door import DoorAmounts, DoorAmountsGrant, DoorContainer, DoorRename


async def rename(world: World, ask: DoorRename) -> DoorContainer:
    """Give it the name, in the engine and in the ledger. Raises Ds01Error when its owner has one of this name; it is
    called as before then.
    """
    caller = await identify(world, ask.uid)
    found = await world.ledger.read(lambda books: in_service(books, caller, ask.id))
    async with AsyncExitStack() as locks:
        for name in sorted({found.name, ask.name}):  # in one order: two that swap names never wait for each other
            await locks.enter_async_context(world.locks.hold(caller.uid, name, "rename"))
        renamed = await _renamed(world, caller, found, ask.name)
    return await shown(world, renamed)


async def _renamed(world: World, caller: Caller, container: Container, name: str) -> Container:
    await world.ledger.read(lambda books: still(books, caller, container))
    await world.ledger.read(lambda books: _check_free(books, caller, world, name))
    await world.engine.rename(container.id, stored_container(name, caller.uid))
    try:
        return await world.ledger.write(lambda books: _record(books, world, caller, container, name))
    except Ds01Error:
        await world.engine.rename(container.id, stored_container(container.name, caller.uid))
        raise


def _check_free(books: Books, caller: Caller, world: World, name: str) -> None:
    others = (*mine(books, caller), *world.tickets.creating(caller.uid))
    taken = next((other for other in others if other.name == name), None)
    if taken is not None:
        raise name_taken(taken)


def _record(books: Books, world: World, caller: Caller, container: Container, name: str) -> Container:
    current = books.container(container.id)
    if current is None or current.state is ContainerState.REMOVED:
        raise unknown(container.id)
    for lease in _leases(books, current):
        books.put_lease(replace(lease, name=name))
    renamed = replace(current, name=name)
    books.put_container(renamed)
    tell(
        books, EventType.CONTAINER_RENAMED, renamed, at=world.clock.now(), actor=caller.actor, before=current.name
    )  # fmt: skip
    return renamed


def _leases(books: Books, container: Container) -> list[Lease]:
    """What it has, and what was granted for a start of it; what is kept for a request bears the request's name."""
    found = {lease.id: lease for lease in (open_lease(books, container), promised_lease(books, container)) if lease}
    return [lease for lease in found.values() if kept_for(books, lease.id) is None]


async def amounts(world: World, ask: DoorAmounts) -> DoorAmountsGrant:
    """What the container may have of what is asked for, by the limits of the door it came through."""
    caller = await identify(world, ask.uid)
    found = await world.ledger.read(lambda books: in_service(books, caller, ask.id))
    limits = effective(world.settings().policy, caller.user, found.door, world.clock.now())
    most = resources(limits, world.cpus)
    return DoorAmountsGrant(
        cpus=at_most(ask.cpus, most.cpus),
        memory_bytes=at_most(ask.memory_bytes, most.memory_bytes),
        swap_bytes=most.swap_bytes,
        pids=at_most(ask.pids, most.pids),
        devices=bool(found.gpus) or await _has_devices(world, found),
    )


async def _has_devices(world: World, container: Container) -> bool:
    """The ledger knows of GPUs alone: what else it was made with, the engine says."""
    seen = await world.engine.inspect(container.id, seconds=LOOK_SECONDS)
    return seen is not None and bool(seen.devices)
