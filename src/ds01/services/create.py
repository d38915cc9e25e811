"""Creating a container, all of it or nothing.

Folders are pinned, a lease is reserved, the container is created with its full, final configuration and started; then
one transaction activates the lease and records the container. Until that is written nothing counts: whatever fails,
and a client that hangs up, takes the container, the lease and the pins with it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ds01.domain.assembly import WORKSPACE, Order, assemble
from ds01.domain.binds import check_number, data_targets
from ds01.domain.container import Attachment, Container, ContainerId, ContainerState, Mount, StopReason
from ds01.domain.errors import BAD_BIND, BAD_WORKSPACE, Ds01Error
from ds01.domain.events import EventType
from ds01.domain.gpu import Slot
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.image import Image
from ds01.domain.labels import Label
from ds01.domain.launch import check_containers
from ds01.domain.lease import Lease, LeaseId
from ds01.domain.reasons import REPLACED
from ds01.domain.seal import sealed
from ds01.ports.host import Pin
from ds01.ports.ledger import Books
from ds01.services import holes, networks, volumes
from ds01.services import lease as leases
from ds01.services.caller import Caller
from ds01.services.disk import check_any_room
from ds01.services.ending import open_lease, record_removal
from ds01.services.find import mine
from ds01.services.hand_back import hand_back
from ds01.services.queue.grant import grant
from ds01.services.queue.turn import claimed, moot, prolong
from ds01.services.rollback import Rollback
from ds01.services.running import record_start, run, slots_of
from ds01.services.seal import seal_key
from ds01.services.settled import beside
from ds01.services.steps import Steps
from ds01.services.strangers import discard
from ds01.services.tell import tell
from ds01.services.world import World


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to create. ``order`` has no mounts yet: its ``workspace`` and ``data`` are paths to pin for its owner.

    ``planned`` is the longest it may run. ``lease`` is one that was granted already; ``also`` is written down in the
    transaction that records the container.
    """

    order: Order
    ask: GpuAsk
    data: tuple[str, ...] = ()
    start: bool = True
    planned: timedelta | None = None
    lease: LeaseId | None = None
    also: Callable[[Books, Container], object] = lambda *_: None


@dataclass(frozen=True, kw_only=True)
class _Granted:
    """The lease of a container in the making; none for one without a GPU."""

    lease: Lease | None = None
    slots: tuple[Slot, ...] = ()
    before: Lease | None = None
    """The held lease it was, to be put back when nothing comes of it."""


async def create(
    world: World, caller: Caller, wanted: Wanted, steps: Steps, *, instead_of: Container | None = None
) -> Container:
    """Create it, and start it unless only creating was asked for. The caller holds the lock of its name.

    ``instead_of`` is a stopped container of that name: it stands until the new one is recorded, which takes over its
    GPUs if it wants the same.
    """
    await check_any_room(world, caller)
    await holes.check(world, caller, gpus=wanted.ask.count, image=wanted.order.image.id)
    with world.tickets.making(caller, wanted.order.name, world.clock.now()) as before:
        await world.ledger.read(lambda books: _check(books, caller, instead_of, before))
        return await _create(world, caller, wanted, steps, instead_of)


def _check(books: Books, caller: Caller, instead_of: Container | None, before: Sequence[Container] = ()) -> None:
    own = [c for c in mine(books, caller) if instead_of is None or c.id != instead_of.id]
    check_containers((*own, *before), caller.limits)


async def _create(
    world: World, caller: Caller, wanted: Wanted, steps: Steps, instead_of: Container | None
) -> Container:
    async with Rollback() as rollback, beside(_place(world, caller)) as place:
        order = await _pin(world, caller, wanted, rollback)
        async with _volumes(world, caller, order.image, instead_of):
            granted = await _reserve(world, caller, wanted, instead_of, steps, rollback)
            container = await _make(world, caller, order, granted, place, steps, rollback)
            if wanted.start:
                await run(world, caller.user, container, granted.slots, steps)
            steps.check()
            recorded = await world.ledger.write(
                lambda books: _record(books, world, caller, container, granted.lease, instead_of, wanted)
            )
        rollback.keep()
    return recorded


@asynccontextmanager
async def _volumes(world: World, caller: Caller, image: Image, instead_of: Container | None) -> AsyncIterator[None]:
    """Room for those its image wants; what goes with the old container makes some."""
    if not image.volumes:
        yield
        return
    going = await volumes.nameless(world, instead_of) if instead_of is not None else 0
    async with volumes.room(world, caller, (), max(0, image.volumes - going)):
        yield


async def _place(world: World, caller: Caller) -> str:
    """Where containers of this user are: her network is there, and her cgroup, whose name is returned."""
    parent, _ = await asyncio.gather(
        asyncio.to_thread(world.host.ensure_slice, caller.user, caller.limits.together), networks.own(world, caller)
    )
    return parent


async def _pin(world: World, caller: Caller, wanted: Wanted, rollback: Rollback) -> Order:
    """Pin the folders as their owner, so that what was checked is what is mounted."""
    check_number(len(wanted.data) + bool(wanted.order.workspace), wanted.order.image.volumes)
    if not wanted.order.workspace and not wanted.data:
        return wanted.order
    key = secrets.token_hex(8)
    rollback.add("pins", lambda: asyncio.to_thread(world.host.unpin, key))
    return await asyncio.to_thread(_pinned, world, caller, wanted, key)


def _pinned(world: World, caller: Caller, wanted: Wanted, key: str) -> Order:
    """An unsafe pin means that everything in the container must run as its owner."""
    shares, workspace = world.settings().shares, wanted.order.workspace
    pins = [(_workspace(world, caller, workspace, key), WORKSPACE, workspace)] if workspace else []
    for path, target in zip(wanted.data, data_targets(wanted.data), strict=True):
        pins.append((world.host.pin(caller.user, path, key, read_only=True, shared=shares), target, path))
    mounts = tuple(
        Mount(source=pin.source, target=target, read_only=pin.read_only, shown=path) for pin, target, path in pins
    )
    return replace(wanted.order, mounts=mounts, pins=key, forced_user=not all(pin.safe for pin, _, _ in pins))


def _workspace(world: World, caller: Caller, path: str, key: str) -> Pin:
    try:
        return world.host.pin(caller.user, path, key, folder=True)
    except Ds01Error as error:
        if error.kind is not BAD_BIND:
            raise
        raise Ds01Error(
            BAD_WORKSPACE, f"'{path}' cannot be the workspace.", reason=error.problem.reason, hint=error.problem.hint
        ) from error


async def _reserve(
    world: World, caller: Caller, wanted: Wanted, instead_of: Container | None, steps: Steps, rollback: Rollback
) -> _Granted:
    if not wanted.ask.count:
        return _Granted()
    async with steps.step("lease", "Reserving a GPU" if wanted.ask.count == 1 else "Reserving GPUs"):
        granted = await world.ledger.write(lambda books: _grant(books, world, caller, wanted, instead_of))
    lease = granted.lease
    if lease is not None:
        rollback.add("lease", lambda: hand_back(world, lease, "it did not start", before=granted.before))
    return granted


def _grant(books: Books, world: World, caller: Caller, wanted: Wanted, instead_of: Container | None) -> _Granted:
    now = world.clock.now()
    if wanted.lease is not None:
        lease = leases.activatable(books, wanted.lease)
        return _Granted(lease=prolong(books, lease, now), slots=slots_of(books, lease))
    old = open_lease(books, instead_of) if instead_of is not None else None
    if old is not None and instead_of is not None and _same(wanted, instead_of, slots_of(books, old)):
        kept = leases.hold(books, old.id, now + leases.RESERVATION, now)
        return _Granted(lease=kept, slots=slots_of(books, kept), before=old)
    if old is not None:
        leases.release(books, old.id, "its container is made anew with other GPUs", now)
    want = caller.wants(wanted.order.name, wanted.ask, wanted.planned)
    lease = grant(books, world, want, now)
    return _Granted(lease=lease, slots=slots_of(books, lease))


def _same(wanted: Wanted, old: Container, slots: tuple[Slot, ...]) -> bool:
    """Whether the GPUs the old container holds are what the new one wants."""
    ask = wanted.ask
    like = (ask.count, ask.profile or "") == (old.gpus, old.gpu_profile)
    return wanted.start and like and all(slot.memory_bytes >= ask.memory_bytes for slot in slots)


async def _make(
    world: World, caller: Caller, order: Order, granted: _Granted, place: Awaitable[str], steps: Steps,
    rollback: Rollback,
) -> Container:  # fmt: skip
    user, lease = caller.user, granted.lease
    async with steps.step("create", "Creating the container"):
        attached = await asyncio.to_thread(world.devices.attach, granted.slots) if granted.slots else Attachment()
        parent = await place
        spec = assemble(
            order, user=user, epoch=caller.epoch, limits=caller.limits, lease=lease,
            attachment=attached, cgroup_parent=parent, lib=str(world.paths.lib), cpus=world.cpus,
        )  # fmt: skip
        made = await world.engine.create(replace(spec, labels=sealed(spec.labels, await seal_key(world))))
        rollback.add("container", lambda: discard(world, made))
        await world.accounts.settle_in(world, made, spec, order.image, user)
        if order.image.volumes:
            await _adopt(world, caller, made)
    return Container(
        id=made, uid=user.uid, epoch=caller.epoch, name=order.name, door=order.door, state=ContainerState.CREATING,
        image=order.image.id, image_ref=order.image_ref, created_at=world.clock.now(), project=order.project,
        workspace=order.workspace, lease=lease.id if lease else None, gpus=order.gpus, gpu_profile=order.gpu_profile,
        gpu_memory_bytes=order.gpu_memory_bytes,
        forced_user=order.forced_user, spec=spec.labels[Label.SPEC], pins=order.pins, mounts=order.mounts,
        on_stop=order.on_stop,
    )  # fmt: skip


async def _adopt(world: World, caller: Caller, made: ContainerId) -> None:
    """Its volumes are its owner's before anything runs on them, and everything that will run is she."""
    seen = await world.engine.inspect(made)
    if seen is not None:
        await volumes.adopt(world, caller, seen, (), hers=True)


def _record(
    books: Books, world: World, caller: Caller, container: Container, lease: Lease | None,
    instead_of: Container | None, wanted: Wanted,
) -> Container:  # fmt: skip
    """The one transaction after which the container counts. Another one may have been quicker: look again."""
    now = world.clock.now()
    _check(books, caller, instead_of)
    if instead_of is not None:
        _retire(books, instead_of, lease, now, caller)
    books.put_container(container)
    tell(
        books, EventType.CONTAINER_CREATED, container, at=now, actor=caller.actor,
        image=container.image_ref, project=container.project, door=container.door.value, gpus=str(container.gpus),
    )  # fmt: skip
    if lease is None:
        moot(books, caller.owner, container.name, now, actor=caller.actor, reason="it was made without a GPU")
    wanted.also(books, container)
    if not wanted.start:
        if lease is not None:
            claimed(books, lease.id, now, caller.actor)
        return container
    return record_start(books, container, lease=lease, now=now, actor=caller.actor)


def _retire(books: Books, old: Container, taken_over: Lease | None, now: datetime, caller: Caller) -> None:
    """The old container is gone; its lease too, unless the new one took it over."""
    kept = taken_over is not None and old.lease == taken_over.id
    if old.reason is StopReason.USER:
        old = replace(old, reason_detail=REPLACED)
    record_removal(books, replace(old, lease=None) if kept else old, now=now, actor=caller.actor)
