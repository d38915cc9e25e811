"""What becomes of a ticket: the engine made the container, or it did not, or nobody came back in time."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext

from ds01.domain.container import Container
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.events import EventType
from ds01.domain.guard import as_owner
from ds01.domain.launch import check_containers
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.door.create import named
from ds01.services.door.known import shown, volume_shown
from ds01.services.door.start import never_started
from ds01.services.find import mine
from ds01.services.hand_back import hand_back
from ds01.services.queue.turn import claimed
from ds01.services.rollback import Rollback
from ds01.services.tell import tell
from ds01.services.tickets import Ticket
from ds01.services.volumes import adopt
from ds01.services.world import World
from ds01.wire.door import DoorCommit, DoorMade, DoorTicket
from ds01.wire.holdings import DoorVolume

_log = logging.getLogger(__name__)


async def commit(world: World, ask: DoorCommit) -> DoorMade:
    """Remember whose the container is. Raises Ds01Error when the ticket is over; the gateway removes it then."""
    ticket = world.tickets.redeem(ask.ticket, world.clock.monotonic())
    if ticket is None:
        raise Ds01Error(BAD_REQUEST, "This grant is over.", reason="It was not used in time.", hint="Try again")
    made = named(ticket, ask.id)
    with world.tickets.volumes(ticket.volumes) if ticket.volumes is not None else nullcontext():
        async with Rollback() as rollback:
            rollback.add("grant", lambda: _take_back(world, ticket, "it could not be recorded"))
            volumes = await _recorded(world, ticket, made)
            rollback.keep()
        return DoorMade(container=await shown(world, made), volumes=volumes)


async def _recorded(world: World, ticket: Ticket, made: Container) -> tuple[DoorVolume, ...]:
    """Its volumes first: who finds the container in the ledger may start it. Until then it has its name to itself, and
    is nobody's to clear away.
    """
    async with world.locks.hold(made.uid, made.name, "create"):
        with world.tickets.recording(ticket):
            volumes = await _volumes(world, ticket, made)
            await world.ledger.write(lambda books: _record(books, world, ticket, made))
    return volumes


async def _volumes(world: World, ticket: Ticket, made: Container) -> tuple[DoorVolume, ...]:
    """Those the engine made are hers, and what it put into new ones."""
    seen = await world.engine.inspect(made.id) if ticket.volumes else None
    if seen is None:
        return ()
    found = await adopt(world, ticket.caller, seen, ticket.fresh, hers=as_owner(made))
    return tuple(volume_shown(volume) for volume in found)


def _record(books: Books, world: World, ticket: Ticket, made: Container) -> None:
    """One transaction: another create may have been quicker, so the number of containers is checked again."""
    now, caller = world.clock.now(), ticket.caller
    check_containers(mine(books, caller), caller.limits)
    if ticket.lease is not None:
        leases.find(books, ticket.lease.id)
        claimed(books, ticket.lease.id, now, caller.actor)
    books.put_container(made)
    tell(
        books, EventType.CONTAINER_CREATED, made, at=now, actor=caller.actor, image=made.image_ref,
        project=made.project, door=made.door.value, gpus=str(made.gpus),
    )  # fmt: skip


async def abort(world: World, ask: DoorTicket) -> None:
    """Take everything back; a ticket that is over already was taken back then."""
    ticket = world.tickets.redeem(ask.ticket, world.clock.monotonic())
    if ticket is not None:
        await _take_back(world, ticket, "the engine did not make the container")


async def expire(world: World) -> None:
    """Take back what nobody came for. The daemon calls this now and then."""
    for ticket in world.tickets.expired(world.clock.monotonic()):
        try:
            await _take_back(world, ticket, "nobody came for it")
        except Ds01Error as error:
            _log.warning("left to the reconciler", extra={"ticket": ticket.id, "why": error.problem.message})


async def _take_back(world: World, ticket: Ticket, why: str) -> None:
    lease, pins = ticket.lease, ticket.container.pins
    if ticket.container.id:
        await never_started(world, ticket, why)
        return
    if lease is not None:
        await hand_back(world, lease, why)
    if pins:
        await asyncio.to_thread(world.host.unpin, pins)
