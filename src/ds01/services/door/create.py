"""A create through the Docker door: everything it needs is reserved, and taken back when the engine refuses.

The limits are those of the user through this door; the folders are pinned with her rights; GPUs come from the same
leases as everybody's.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ds01.domain.assembly import Order, at_most, labels, resources
from ds01.domain.confinement import Amounts
from ds01.domain.container import Attachment, Container, ContainerId, ContainerState, Device, Door, Mount
from ds01.domain.errors import BAD_REQUEST, NO_IMAGE, NOT_ALLOWED, Ds01Error
from ds01.domain.gpu import Slot
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.gpu_ask import ask as read_ask
from ds01.domain.guard import judge_kind
from ds01.domain.image import Image
from ds01.domain.labels import Label
from ds01.domain.launch import check_containers
from ds01.domain.lease import Lease
from ds01.domain.names import stored_container
from ds01.domain.ports import check_published, moved
from ds01.domain.seal import sealed
from ds01.ports.ledger import Books
from ds01.services import holes, networks, volumes
from ds01.services.caller import Caller, identify
from ds01.services.devices import for_asker
from ds01.services.disk import check_any_room
from ds01.services.door.gone import settle
from ds01.services.door.known import network_shown
from ds01.services.door.own import name_taken
from ds01.services.door.patience import patiently
from ds01.services.find import mine
from ds01.services.guard import root_allowed
from ds01.services.hand_back import hand_back
from ds01.services.queue.grant import grant as grant_lease
from ds01.services.rollback import Rollback
from ds01.services.running import slots_of
from ds01.services.seal import seal_key
from ds01.services.steps import Steps
from ds01.services.tickets import Coming, Ticket
from ds01.services.world import World
from ds01.wire.door import DoorBind, DoorCreate, DoorDevice, DoorGrant, GrantedDevice, GrantedRequest, StagedBind

FORCED = "everything in this container runs as you ({who}): {why}"


MOVED = "port {} of this server is in use, so a free one was chosen: docker port shows it"


@dataclass(frozen=True, kw_only=True)
class _Pinned:
    """Folders, pinned. ``unsafe`` is the first path that forces the owner's uid, or empty."""

    key: str = ""
    mounts: tuple[Mount, ...] = ()
    unsafe: str = ""


async def grant(world: World, ask: DoorCreate, steps: Steps | None = None) -> DoorGrant:
    """Reserve everything, after waiting for GPUs if the client does. Raises Ds01Error; nothing is reserved then."""
    caller = await identify(world, ask.uid, _door(ask.door))
    if caller.uid == 0:
        raise Ds01Error(NOT_ALLOWED, "root does not create containers here.", hint="Use an ordinary account")
    image = await world.engine.image(ask.image_id)
    if image is None:
        raise Ds01Error(NO_IMAGE, f"No such image: {ask.image}")
    await _free_name(world, caller, ask.name)
    await check_any_room(world, caller)
    ask = replace(ask, devices=await for_asker(world, caller, ask.devices))
    asked = await _asked(world, caller, ask)
    await holes.check(world, caller, gpus=asked.count, image=image.id)
    want = caller.wants(ask.name, asked, caller.limits.runtime)
    return await patiently(
        world, caller, want, ask.wait_seconds, steps or Steps(world.clock), lambda: _locked(world, caller, ask, image)
    )


async def _locked(world: World, caller: Caller, ask: DoorCreate, image: Image) -> DoorGrant:
    async with world.locks.hold(caller.uid, ask.name, "create"):
        with world.tickets.making(caller, ask.name, world.clock.now(), published=ask.published) as before:
            await world.ledger.read(lambda books: _check(books, caller, ask, before))
            async with volumes.room(world, caller, [each.name for each in ask.volumes], ask.anonymous) as coming:
                return await _reserved(world, caller, ask, image, coming)


async def _reserved(world: World, caller: Caller, ask: DoorCreate, image: Image, coming: Coming) -> DoorGrant:
    async with Rollback() as rollback:
        joined = await world.ledger.read(lambda books: _joined(books, caller, ask.joins))
        pinned = await _pin(world, caller, ask.binds, rollback)
        held = [await volumes.provide(world, caller, each.name, each.labels, each.options) for each in ask.volumes]
        why = judge_kind(
            joined, folder=ask.binds[0].source if ask.binds else "", unsafe=pinned.unsafe, itself=_itself(caller, ask),
            reached=await asyncio.to_thread(_reached, world, held) if held else "",
            root=await root_allowed(world), guarded=await world.engine.guard() is not None,
        )  # fmt: skip
        wanted = await _asked(world, caller, ask)
        lease, slots = await _lease(world, caller, ask, wanted, rollback)
        elsewhere = await _moved(world, caller, ask)
        order = _order(ask, image, pinned, wanted, lease, forced=bool(why))
        kept = tuple(port for port in ask.ports if port not in elsewhere)
        made = replace(_container(world, caller, order, lease), ports=kept, published=ask.published)
        ticket = world.tickets.issue(
            caller, made, lease, world.clock.monotonic(),
            fresh=tuple(each.folder for each in held if each.fresh), volumes=coming if held or ask.anonymous else None,
        )  # fmt: skip
        rollback.add("ticket", lambda: _forget(world, ticket))
        given = await _grant(world, ask, ticket, order, slots, why)
        rollback.keep()
    return replace(
        given,
        moved=elsewhere,
        notes=(*given.notes, *map(MOVED.format, elsewhere)),
        volumes={ask_.name: each.volume.id for ask_, each in zip(ask.volumes, held, strict=True)},
    )


def _reached(world: World, held: Sequence[volumes.Held]) -> str:
    """The first of these that was in a container of the other kind; empty when none was."""
    return next((each.volume.name for each in held if world.host.is_reached(each.folder)), "")


async def _moved(world: World, caller: Caller, ask: DoorCreate) -> tuple[int, ...]:
    """Ports that others have. Those who are about to have one count, and those who got it while the ledger was read."""
    if not ask.ports:
        return ()
    listening = {port for _, port in await world.facts.listeners()}
    before = world.tickets.promised()
    live = await world.ledger.read(lambda books: books.containers())
    return moved(ask.ports, caller.uid, (*before, *live, *world.tickets.promised()), listening)


async def _forget(world: World, ticket: Ticket) -> None:
    world.tickets.redeem(ticket.id, world.clock.monotonic())


def _door(text: str) -> Door:
    try:
        return Door(text)
    except ValueError as error:
        raise Ds01Error(BAD_REQUEST, f"'{text}' is no door.") from error


async def _free_name(world: World, caller: Caller, name: str) -> None:
    """A container of this name that the engine no longer has was removed by itself: write that down first."""
    found = await world.ledger.read(lambda books: books.named(caller.uid, name))
    if found is not None and caller.owns(found):
        await settle(world, caller, found)


def _check(books: Books, caller: Caller, ask: DoorCreate, before: Sequence[Container]) -> None:
    """The name is free and one more container is allowed with its ports, counting those that are being made."""
    own = mine(books, caller)
    taken = next((c for c in (*own, *before) if c.name == ask.name), None)
    if taken is not None:
        raise name_taken(taken)
    check_containers((*own, *before), caller.limits)
    check_published((*own, *before), ask.published)


def _joined(books: Books, caller: Caller, joins: Sequence[str]) -> tuple[Container, ...]:
    """The containers it shares something with, all her own."""
    found = tuple(books.container(ContainerId(other)) for other in joins)
    own = tuple(c for c in found if c is not None and caller.owns(c))
    if len(own) != len(joins):
        raise Ds01Error(NOT_ALLOWED, "Only containers of your own can be joined.")
    return own


def _itself(caller: Caller, ask: DoorCreate) -> bool:
    """Whether it was asked to run as its owner."""
    return ask.user.split(":")[0] in (str(caller.uid), caller.user.login)


async def _pin(world: World, caller: Caller, binds: Sequence[DoorBind], rollback: Rollback) -> _Pinned:
    if not binds:
        return _Pinned()
    key = secrets.token_hex(8)
    rollback.add("pins", lambda: asyncio.to_thread(world.host.unpin, key))
    return await asyncio.to_thread(_pinned, world, caller, binds, key)


def _pinned(world: World, caller: Caller, binds: Sequence[DoorBind], key: str) -> _Pinned:
    shares = world.settings().shares
    pins = [
        world.host.pin(caller.user, b.source, key, create=b.create, read_only=b.read_only, shared=shares) for b in binds
    ]
    mounts = tuple(
        Mount(source=pin.source, target=bind.target, read_only=pin.read_only, shown=bind.source)
        for pin, bind in zip(pins, binds, strict=True)
    )
    unsafe = next((bind.source for pin, bind in zip(pins, binds, strict=True) if not pin.safe), "")
    return _Pinned(key=key, mounts=mounts, unsafe=unsafe)


async def _asked(world: World, caller: Caller, ask: DoorCreate) -> GpuAsk:
    """``all`` is as many as one container of this user may have."""
    if ask.gpus == "all":
        there = len(await asyncio.to_thread(world.devices.inventory)) or 1
        most = caller.limits.gpus_per_container
        return GpuAsk(
            count=max(1, there if most is None else min(most, there)), memory_bytes=ask.gpu_memory_bytes
        )  # fmt: skip
    try:
        return read_ask(ask.gpus, ask.gpu_memory_bytes)
    except ValueError as error:
        raise Ds01Error(BAD_REQUEST, f"{error}.") from error


async def _lease(
    world: World, caller: Caller, ask: DoorCreate, wanted: GpuAsk, rollback: Rollback
) -> tuple[Lease | None, tuple[Slot, ...]]:
    if not wanted.count:
        return None, ()

    def reserve(books: Books) -> tuple[Lease, tuple[Slot, ...]]:
        want = caller.wants(ask.name, wanted, caller.limits.runtime)
        lease = grant_lease(books, world, want, world.clock.now())
        return lease, slots_of(books, lease)

    lease, slots = await world.ledger.write(reserve)
    rollback.add("lease", lambda: hand_back(world, lease, "it was not made"))
    return lease, slots


def _order(
    ask: DoorCreate, image: Image, pinned: _Pinned, wanted: GpuAsk, lease: Lease | None, *, forced: bool
) -> Order:
    """What was asked of its GPUs is kept with it: a later start asks for the same."""
    return Order(
        name=ask.name, image=image, image_ref=ask.image, door=_door(ask.door),
        gpus=len(lease.slots) if lease else 0, gpu_profile=(wanted.profile or "") if lease else "",
        gpu_memory_bytes=wanted.memory_bytes if lease else 0, mounts=pinned.mounts, pins=pinned.key, forced_user=forced,
    )  # fmt: skip


def _container(world: World, caller: Caller, order: Order, lease: Lease | None) -> Container:
    return Container(
        id=ContainerId(""), uid=caller.uid, epoch=caller.epoch, name=order.name, door=order.door,
        state=ContainerState.CREATING, image=order.image.id, image_ref=order.image_ref, created_at=world.clock.now(),
        project=order.project, lease=lease.id if lease else None, gpus=order.gpus, gpu_profile=order.gpu_profile,
        gpu_memory_bytes=order.gpu_memory_bytes, forced_user=order.forced_user,
        spec=order.image.labels.get(Label.SPEC, ""), pins=order.pins, mounts=order.mounts,
    )  # fmt: skip


async def _grant(
    world: World, ask: DoorCreate, ticket: Ticket, order: Order, slots: tuple[Slot, ...], why: str
) -> DoorGrant:
    caller, user = ticket.caller, ticket.caller.user
    parent = await asyncio.to_thread(world.host.ensure_slice, user, caller.limits.together)
    own = await networks.own(world, caller)
    attached = await asyncio.to_thread(world.devices.attach, slots) if slots else Attachment()
    most = resources(caller.limits, world.cpus)
    who = f"{user.uid}:{user.gid}"
    given = Amounts(
        cpus=at_most(ask.cpus, most.cpus),
        memory_bytes=at_most(ask.memory_bytes, most.memory_bytes),
        swap_bytes=most.swap_bytes,
        pids=at_most(ask.pids, most.pids),
    )
    marks = labels(order, user=user, epoch=caller.epoch, lease=ticket.lease, given=given)
    return DoorGrant(
        ticket=ticket.id,
        stored_name=stored_container(ask.name, user.uid),
        labels=sealed(marks, await seal_key(world)),
        cgroup_parent=parent,
        network=own.stored,
        own_network=network_shown(own),
        cpus=given.cpus,
        memory_bytes=given.memory_bytes,
        swap_bytes=given.swap_bytes,
        shm_bytes=at_most(ask.shm_bytes, most.shm_bytes),
        pids=given.pids,
        stop_grace_seconds=int(caller.limits.stop_grace.total_seconds()),
        force_user=who if order.forced_user else "",
        binds=tuple(_staged(mount) for mount in order.mounts),
        devices=(*map(_given, attached.devices), *map(_given, ask.devices)),
        requests=tuple(
            GrantedRequest(driver=r.driver, ids=r.ids, capabilities=r.capabilities) for r in attached.requests
        ),
        environment=dict(attached.environment),
        mounts=tuple(_staged(mount) for mount in attached.mounts),
        publish=caller.limits.publish,
        notes=_notes(caller, ask, why),
    )


def _notes(caller: Caller, ask: DoorCreate, why: str) -> tuple[str, ...]:
    """Said when she asked for somebody else."""
    if not why or not ask.user or _itself(caller, ask):
        return ()
    return (FORCED.format(who=f"{caller.uid}:{caller.user.gid}", why=why),)


def _given(device: Device | DoorDevice) -> GrantedDevice:
    return GrantedDevice(host=device.host, inside=device.inside, permissions=device.permissions)


def _staged(mount: Mount) -> StagedBind:
    return StagedBind(staged=mount.source, target=mount.target, read_only=mount.read_only)


def named(ticket: Ticket, container_id: str) -> Container:
    """The container of a redeemed ticket, now that it has an id."""
    return replace(ticket.container, id=ContainerId(container_id))
