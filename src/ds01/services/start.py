"""Starting a stopped container: its GPU is still held, or one is leased again, or the user hears what it waits for.

A container's devices are fixed when it is created. When its old slots are taken, it is created anew on its own
writable layer with others, so that nothing in it is lost; the user is told.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from ds01.domain import former_gpu
from ds01.domain.assembly import read_slots
from ds01.domain.binds import refused
from ds01.domain.container import Container, ContainerState, Door
from ds01.domain.errors import NO_CONTAINER, WRONG_STATE, Ds01Error
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.launch import of_a_job, out_of_service
from ds01.domain.lease import Lease, LeaseState
from ds01.ports.ledger import Books
from ds01.services import holes
from ds01.services import lease as leases
from ds01.services.astray import starting
from ds01.services.caller import Caller
from ds01.services.denied import denials
from ds01.services.ending import open_lease, promised_lease
from ds01.services.find import find
from ds01.services.hand_back import hand_back
from ds01.services.on_behalf import tell_owner
from ds01.services.prolong import give_back_time
from ds01.services.queue.grant import grant
from ds01.services.queue.turn import prolong
from ds01.services.recreate import on_other_slots, replace_in
from ds01.services.rollback import Rollback
from ds01.services.running import record_start, run, slots_of
from ds01.services.steps import Steps
from ds01.services.strangers import leave_behind
from ds01.services.world import World


@dataclass(frozen=True, kw_only=True)
class Started:
    """``recreated``: the container has a new id, because its GPUs changed."""

    container: Container
    recreated: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A lease for the start. ``before`` is the held lease it was, to be put back when the start fails; ``moved`` is why
    its slots are not those it had, empty when they are.
    """

    lease: Lease
    slots: tuple[Slot, ...]
    before: Lease | None = None
    moved: str = ""


async def start(world: World, caller: Caller, name: str, steps: Steps) -> Started:
    """Start it; one that runs already is fine."""
    async with denials(world, caller, name), world.locks.hold(caller.uid, name, "start"):
        container = await world.ledger.read(lambda books: find(books, caller, name))
        started = await begin(world, caller, container, steps)
    if container.state is not ContainerState.RUNNING:
        await tell_owner(world, caller, started.container, "started")
    return started


async def begin(world: World, caller: Caller, container: Container, steps: Steps) -> Started:
    """Start a container whose lock is held. Everything is as before when it does not start."""
    _check(container)
    if container.state is ContainerState.RUNNING:
        await world.engine.inspect(container.id)  # with no engine there, nobody is told that it runs
        return Started(container=container)
    await holes.check(world, caller, gpus=container.gpus, image=container.image)
    with ExitStack() as taken:
        await starting(world, taken, container.id)  # the engine keeps what it copies to itself, and would not answer
        return await _begun(world, caller, container, steps)


async def _begun(world: World, caller: Caller, container: Container, steps: Steps) -> Started:
    async with Rollback() as rollback:
        await asyncio.to_thread(pin_again, world, caller, container)
        claim = await _claim(world, caller, container, steps, rollback)
        made = await _run(world, caller, container, claim, steps, rollback)
        steps.check()
        running = await world.ledger.write(lambda books: _record(books, world, caller, container, made, claim))
        rollback.keep()
    if made.id != container.id:
        await leave_behind(world, container.id)
    return Started(container=running, recreated=made.id != container.id, notes=_notes(claim))


async def _run(
    world: World, caller: Caller, container: Container, claim: Claim | None, steps: Steps, rollback: Rollback
) -> Container:
    if claim is not None and claim.moved:
        return await on_other_slots(world, caller.user, container, claim.lease, claim.slots, steps, rollback)
    # Before it is asked for: whether a start came about may stay unknown.
    rollback.add("start", lambda: world.engine.stop(container.id, 0))
    await run(world, caller.user, container, claim.slots if claim else (), steps)
    return container


def _record(
    books: Books, world: World, caller: Caller, old: Container, made: Container, claim: Claim | None
) -> Container:
    now = world.clock.now()
    if claim is not None:
        give_back_time(books, world, old, claim.lease, now)
    if made.id != old.id:
        replace_in(books, old, made, now, caller.actor)
    return record_start(
        books, made, lease=claim.lease if claim else None, now=now, actor=caller.actor, why=caller.reason
    )


def pin_again(world: World, caller: Caller, container: Container) -> None:
    """Pins do not survive a restart of the server: make those that are gone again, at their old places.

    A folder that was proven harmless when the container was made must still be: the container cannot be told now that
    everything in it runs as its owner.
    """
    if not container.pins:
        return
    for index, mount in enumerate(container.mounts):
        pin = world.host.repin(
            caller.user, mount.shown, container.pins, index, read_only=mount.read_only, shared=world.settings().shares
        )
        if not pin.safe and not container.forced_user:
            raise refused(
                mount.shown,
                "Its file system was mounted nosuid,nodev when this container was made, and is not any more.",
                f"Retire the container and make it anew: ds01 retire {container.name}",
            )


def _check(container: Container) -> None:
    if container.state is ContainerState.QUARANTINED:
        raise out_of_service(container)
    if container.door is Door.JOB and container.state is not ContainerState.RUNNING:
        raise of_a_job(container)
    if container.state is ContainerState.PAUSED:
        raise Ds01Error(
            WRONG_STATE, f"Container '{container.name}' is paused.", hint=f"ds01 container unpause {container.name}"
        )
    if container.state is ContainerState.REMOVED:
        raise Ds01Error(NO_CONTAINER, f"Container '{container.name}' was removed.", hint="ds01 list")


async def _claim(world: World, caller: Caller, container: Container, steps: Steps, rollback: Rollback) -> Claim | None:
    if not container.gpus:
        return None
    async with steps.step("lease", "Reserving a GPU" if container.gpus == 1 else "Reserving GPUs"):
        had = await _devices_of(world, container)
        claim = await world.ledger.write(lambda books: claim_slots(books, world, caller, container, had))
    rollback.add("lease", lambda: hand_back(world, claim.lease, "it did not start", before=claim.before))
    return claim


async def _devices_of(world: World, container: Container) -> tuple[SlotId, ...]:
    """The slots the container was created with, from its label: its devices are theirs."""
    seen = await world.engine.inspect(container.id)
    if seen is None:
        raise Ds01Error(NO_CONTAINER, f"Container '{container.name}' is gone from the engine.", hint="ds01 list")
    return read_slots(seen.labels)


def claim_slots(books: Books, world: World, caller: Caller, container: Container, had: tuple[SlotId, ...]) -> Claim:
    """Keep the lease that is still open, else lease the same slots if they are free, else others."""
    now = world.clock.now()
    lease = open_lease(books, container) or promised_lease(books, container)
    before = world.tickets.as_it_was(lease) if lease is not None else None
    if lease is not None and before is not None and not _hold_over(books, lease, before, now):
        _prolong(books, lease, now)
        return _claimed(books, lease, had, before)
    fresh = grant(books, world, caller.wants(container.name, container.gpu_ask, caller.limits.runtime, had), now)
    return _claimed(books, fresh, had)


def _claimed(books: Books, lease: Lease, had: tuple[SlotId, ...], before: Lease | None = None) -> Claim:
    taken = {slot for other in books.open_leases() if other.id != lease.id for slot in other.slots}
    moved = former_gpu.why(had, lease.slots, books.slots(vanished=False), books.quarantined(), taken)
    return Claim(lease=lease, slots=slots_of(books, lease), before=before, moved=moved)


def _hold_over(books: Books, lease: Lease, before: Lease, now: datetime) -> bool:
    """Give a hold back whose own time is over, or what it was given for: what is promised after it binds her, too."""
    if lease.state is not LeaseState.HELD or before.expires_at is None:
        return False
    if before.expires_at > now and not lease.outlives(now):
        return False
    leases.release(books, lease.id, "its hold is over", now)
    return True


def _prolong(books: Books, lease: Lease, now: datetime) -> None:
    """It must not run out while the container starts."""
    until = now + leases.RESERVATION
    if lease.state is LeaseState.HELD and (lease.expires_at is None or lease.expires_at < until):
        leases.hold(books, lease.id, until, now)
    prolong(books, lease, now)


def _notes(claim: Claim | None) -> tuple[str, ...]:
    if claim is None or not claim.moved:
        return ()
    labels = ", ".join(slot.label for slot in claim.slots)
    return (f"{claim.moved}, so it was recreated with GPU {labels}; everything in it was kept.",)
