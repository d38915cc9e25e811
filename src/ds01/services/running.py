"""Getting a container to run and writing down that it does: what create and start have in common."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

from ds01.domain.container import Container, ContainerId, ContainerState, Door
from ds01.domain.errors import START_FAILED, Ds01Error
from ds01.domain.events import EventType
from ds01.domain.gpu import Slot
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.people import Uid, User
from ds01.domain.reasons import exit_meaning
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.guard import allow, offered, withdraw
from ds01.services.queue.turn import claimed, keep
from ds01.services.steps import Steps
from ds01.services.tell import tell
from ds01.services.world import World


async def run(world: World, user: User, container: Container, slots: tuple[Slot, ...], steps: Steps) -> None:
    """Start a container of this user and see that it stays. Raises Ds01Error (``container.start``) when it ends at
    once, which only a job may. ``slots`` are those of its lease.
    """
    async with steps.step("start", "Starting the container"):
        await world.shells.check(world, container)
        with ExitStack() as taken:
            await allow(world, user, container, slots, taken=taken)
            terminal = steps.terminal
            if terminal is not None and slots and world.devices.simulated:
                terminal = terminal.with_simulated
            async with offered(world, user, container.id, terminal):
                await _start(world, container.id)
        if container.door is Door.JOB:
            return
        seen = await world.engine.inspect(container.id)
        if seen is None or not seen.running:
            code = seen.exit_code if seen else 0
            raise Ds01Error(
                START_FAILED,
                "The container ended as soon as it was started.",
                reason=f"Its main process {exit_meaning(code)}, exit code {code}.",
                hint="ds01 image list",
            )


async def _start(world: World, container: ContainerId) -> None:
    try:
        await world.engine.start(container)
    except Ds01Error:
        await withdraw(world, container)
        raise


def record_start(
    books: Books, container: Container, *, lease: Lease | None, now: datetime, actor: Uid | None, why: str = ""
) -> Container:
    """It runs: its lease is active and it is recorded so, in one transaction. ``why`` is the reason an admin gave."""
    if lease is not None:
        leases.activate(books, lease.id, container.id, now)
        claimed(books, lease.id, now, actor)
    running = replace(
        container, state=ContainerState.RUNNING, lease=lease.id if lease else None,
        started_at=now, stopped_at=None, reason=None, reason_detail="",
    )  # fmt: skip
    books.put_container(running)
    shown = ", ".join(slot.label for slot in slots_of(books, lease)) if lease else ""
    tell(books, EventType.CONTAINER_STARTED, running, at=now, actor=actor, slots=shown, why=why)
    return running


def slots_of(books: Books, lease: Lease) -> tuple[Slot, ...]:
    """The slots of a lease, in its order: the first is number 0 inside."""
    known = {slot.id: slot for slot in books.slots()}
    return tuple(known[slot] for slot in lease.slots if slot in known)


def give_back(books: Books, lease: Lease, why: str, now: datetime) -> None:
    """Release a lease unless it has ended by itself, or is kept for a request whose turn it is."""
    current = books.lease(lease.id)
    if current is not None and current.state.open and not keep(books, current, now):
        leases.release(books, lease.id, why, now)


def put_back(books: Books, lease: Lease, before: Lease | None, why: str, now: datetime) -> None:
    """A lease taken for a start that did not happen, as it was: held until its own time again, or given back. One that
    was reserved before goes back to whoever's turn it was for: starts that fail, one after the other, keep no GPU.
    """
    if before is None or before.state is LeaseState.RESERVED:
        give_back(books, lease, why, now)
    elif before.state is LeaseState.HELD and before.expires_at is not None:
        leases.hold(books, before.id, before.expires_at, now)
