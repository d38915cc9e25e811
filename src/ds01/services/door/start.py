"""A start through the Docker door: its GPU is leased again and its folders are pinned again, then the engine starts it.

When its GPUs are taken it is not started on others here: that makes a new container with a new id, which a Docker
client would not find. ``ds01 start`` does it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from datetime import datetime

from ds01.domain.assembly import read_slots
from ds01.domain.container import Container, ContainerState, Door
from ds01.domain.errors import GPU_FULL, NO_CONTAINER, Ds01Error
from ds01.domain.launch import of_a_job, out_of_service
from ds01.domain.lease import Lease, LeaseState
from ds01.ports.ledger import Books
from ds01.services import holes
from ds01.services import lease as leases
from ds01.services.astray import starting
from ds01.services.caller import Caller, identify
from ds01.services.door.known import shown
from ds01.services.door.own import in_service, still, unknown
from ds01.services.ending import open_lease
from ds01.services.guard import allow, spend, withdraw
from ds01.services.hand_back import hand_back
from ds01.services.prolong import give_back_time
from ds01.services.rollback import Rollback
from ds01.services.running import record_start
from ds01.services.start import Claim, claim_slots, pin_again
from ds01.services.stop import LONGEST_GRACE
from ds01.services.tickets import Ticket
from ds01.services.world import World
from ds01.wire.door import DoorContainer, DoorStart, DoorStarting, DoorTicket

REFUSED = "it did not start"
OVER = frozenset({ContainerState.QUARANTINED, ContainerState.REMOVED})
"""No start makes it run again."""
STANDING = (ContainerState.RUNNING, ContainerState.PAUSED)

_log = logging.getLogger(__name__)


async def start(world: World, ask: DoorStart) -> DoorStarting:
    """May it start? The ticket is redeemed when it has."""
    caller = await identify(world, ask.uid)
    found = await world.ledger.read(lambda books: _startable(in_service(books, caller, ask.id)))
    await holes.check(world, caller, gpus=found.gpus, image=found.image)
    async with world.locks.hold(caller.uid, found.name, "start"), Rollback() as rollback:
        container = await world.ledger.read(lambda books: _startable(still(books, caller, found)))
        ticket = await _granted(world, caller, container, ask, rollback)
        rollback.keep()
    return DoorStarting(ticket=ticket.id, container=await shown(world, container))


async def _granted(world: World, caller: Caller, container: Container, ask: DoorStart, rollback: Rollback) -> Ticket:
    """Nothing of it is copied while its ticket is open."""
    with ExitStack() as taken:
        await starting(world, taken, container.id)  # the engine keeps what it copies to itself, and would not answer
        await asyncio.to_thread(pin_again, world, caller, container)
        claim = await _claim(world, caller, container) if container.gpus else None
        rollback.add("lease", lambda: _give_back(world, container, claim, REFUSED))
        await allow(world, caller.user, container, claim.slots if claim else (), taken=taken)
        return world.tickets.issue(
            caller, container, claim.lease if claim else None, world.clock.monotonic(),
            before=claim.before if claim else None,
            ending_seconds=min(ask.ending_seconds, LONGEST_GRACE) if container.state in STANDING else 0,
            taken=taken.pop_all(),
        )  # fmt: skip


def _startable(found: Container) -> Container:
    if found.state is ContainerState.REMOVED:
        raise unknown(found.id)
    if found.door is Door.JOB and found.state is not ContainerState.RUNNING:
        raise of_a_job(found)
    return found


async def _claim(world: World, caller: Caller, container: Container) -> Claim:
    seen = await world.engine.inspect(container.id)
    if seen is None:
        raise unknown(container.id)
    had = read_slots(seen.labels)

    def claim(books: Books) -> Claim:
        claimed = claim_slots(books, world, caller, container, had)
        if claimed.moved:
            raise Ds01Error(
                GPU_FULL, f"'{container.name}' cannot be started.",
                reason=f"{claimed.moved}, and Docker cannot move a container to another one.",
                hint=f"ds01 start {container.name}",
            )  # fmt: skip
        return claimed

    return await world.ledger.write(claim)


async def started(world: World, ask: DoorTicket) -> DoorContainer:
    """The engine has started it: its lease is active and it is recorded so. What was removed or taken out of service
    meanwhile stays so. Raises Ds01Error where it is out of service; it does not run then.
    """
    ticket = world.tickets.redeem(ask.ticket, world.clock.monotonic())
    if ticket is None:
        raise Ds01Error(NO_CONTAINER, "This start is over.")
    found = await world.ledger.write(lambda books: _record(books, world, ticket))
    if found.state in OVER:
        await _undone(world, found, ticket)
    return await shown(world, found)


def _record(books: Books, world: World, ticket: Ticket) -> Container:
    current = books.container(ticket.container.id) or ticket.container
    if current.state is ContainerState.RUNNING or current.state in OVER:
        return current  # the reconciler saw it first, or what became of it
    now = world.clock.now()
    if ticket.lease is not None:
        give_back_time(books, world, current, ticket.lease, now)
    return record_start(books, current, lease=ticket.lease, now=now, actor=ticket.caller.actor)


async def _undone(world: World, container: Container, ticket: Ticket) -> None:
    """Stopped before its GPU goes back. A client whose container is gone already started it all the same."""
    aside = container.state is ContainerState.QUARANTINED
    if aside:
        await withdraw(world, container.id)
        with world.copies.ended(container.id):
            await world.engine.stop(container.id, 0)
    await _give_back(world, container, ticket, REFUSED)
    if aside:
        raise out_of_service(container)


async def not_started(world: World, ask: DoorTicket) -> None:
    """The engine refused."""
    ticket = world.tickets.redeem(ask.ticket, world.clock.monotonic())
    if ticket is not None:
        await never_started(world, ticket, REFUSED)


async def never_started(world: World, ticket: Ticket, why: str) -> None:
    """Make it as it was before a start that did not happen. Where the engine does not say, or while another start of
    it goes on, all is left as it is: the reconciler sees what came of it. Where the container runs all the same, its
    lease is left to the reconciler, too, but nothing starts by this grant any more: a restart may still be waiting in
    the engine for what runs to end.
    """
    container = ticket.container
    async with world.locks.hold(container.uid, container.name, "start"):
        if world.tickets.starting(container.id, world.clock.monotonic()):
            return
        try:
            seen = await world.engine.inspect(container.id)
        except Ds01Error as error:
            _log.warning("left to the reconciler", extra={"container": container.id, "why": error.problem.message})
            return
        if seen is not None and seen.running:
            await spend(world, container)
            return
        await withdraw(world, container.id)
        await _give_back(world, container, ticket, why)
        await world.ledger.write(lambda books: _hold_as_usual(books, ticket, world.clock.now()))


async def _give_back(world: World, container: Container, granted: Claim | Ticket | None, why: str) -> None:
    """A lease that was granted for this start goes back; a held one runs out when it would have. Another start that
    goes on has the same lease.
    """
    lease = granted.lease if granted is not None else None
    if granted is None or lease is None or world.tickets.starting(container.id, world.clock.monotonic()):
        return
    if lease.state is LeaseState.RESERVED:
        await hand_back(world, lease, why)
    elif lease.state is LeaseState.HELD:
        before = granted.before
        await world.ledger.write(lambda books: _hold_again(books, before, world.clock.now()))


def _hold_as_usual(books: Books, ticket: Ticket, now: datetime) -> None:
    """A restart that ended what ran and started nothing: its GPU is held for as long as after any stop."""
    container = books.container(ticket.container.id)
    lease = open_lease(books, container) if container is not None else None
    if container is None or container.stopped_at is None or lease is None or lease.state is not LeaseState.HELD:
        return
    until = container.stopped_at + ticket.caller.limits.gpu_hold
    longer = lease.expires_at is not None and lease.expires_at > until
    if ticket.lease is None or ticket.lease.state is not LeaseState.ACTIVE or not longer:
        return
    if until > now:
        leases.hold(books, lease.id, until, now)
    else:
        leases.release(books, lease.id, REFUSED, now)


def _hold_again(books: Books, before: Lease | None, now: datetime) -> None:
    current = books.lease(before.id) if before is not None else None
    if before is None or current is None or current.state is not LeaseState.HELD:
        return
    if before.expires_at is not None and before.expires_at != current.expires_at:
        leases.hold(books, current.id, before.expires_at, now)
