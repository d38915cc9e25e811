"""What ds01d tells the guard behind the engine: every start it may let through, before it happens.

Without a guard everything here does nothing, and nobody but the owner of a container is anybody in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import ExitStack, asynccontextmanager, nullcontext

from ds01.domain.container import Attachment, Container, ContainerId, ContainerState
from ds01.domain.errors import NOT_ALLOWED, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.gpu import Slot
from ds01.domain.guard import StartGrant, as_owner, check_options, check_volumes, common, in_use, reached, unknown
from ds01.domain.people import User
from ds01.domain.settings import RootRule
from ds01.domain.terminal import Terminal
from ds01.ports.engine import LOOK_SECONDS
from ds01.ports.ledger import Books
from ds01.services.astray import starting
from ds01.services.devices import for_start
from ds01.services.ending import open_lease, promised_lease
from ds01.services.publish import check_start
from ds01.services.world import World

BESIDE_GPUS = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset", "/dev/dri/*")
"""Nodes that come with every GPU."""
INSTANCE_NODES = ("/dev/nvidia-caps/*",)
"""Nodes that open MIG instances. Which is whose only NVIDIA's driver knows; the engine gives those of the lease."""

_STARTABLE = (ContainerState.STOPPED, ContainerState.CREATING)


async def root_allowed(world: World) -> bool:
    """Whether a container without folders of the host may run as root."""
    rule = world.settings().docker.root_rule
    return rule is RootRule.ALLOWED or (rule is RootRule.GUARDED and await world.engine.guard() is not None)


async def allow(
    world: World, user: User, container: Container, slots: tuple[Slot, ...] = (), *, taken: ExitStack
) -> None:  # fmt: skip
    """Grant the next start of this container. What of it no files are copied of meanwhile is in ``taken``, from before
    the grant is there. Raises Ds01Error when it may not start as it was made, or now.
    """
    owner = as_owner(container)
    if not owner and not await root_allowed(world):
        raise Ds01Error(
            NOT_ALLOWED,
            f"'{container.name}' was made to run as root, which this server does not allow any more.",
            hint="Remove it and make it anew",
        )
    await starting(world, taken, container.id)
    guarding = await world.engine.guard()
    seen, attached = await asyncio.gather(world.engine.inspect(container.id), _attached(world, slots))
    check_start(world, user, container, seen.confinement.published if seen and seen.confinement else ())
    devices = await for_start(world, user, container, seen.devices if seen else ())
    volumes, folders = (seen.volumes, seen.volume_folders) if seen else ((), {})
    await starting(world, taken, *volumes)
    if guarding is None:
        await asyncio.to_thread(_mark, world, volumes, folders)  # a guard may come, and with it root
        return
    mounts = (*container.mounts, *(attached.mounts if attached else ()))
    own = (*world.paths.programs, world.paths.door_of(user.uid, container.epoch))
    grant = StartGrant(
        container=container.id, uid=user.uid, gid=user.gid, as_owner=owner,
        binds=(*(mount.source for mount in mounts), *own),
        volumes=volumes,
        nodes=(*(_nodes(attached, slots) if attached else ()), *devices),
        gpus=tuple(slot.id for slot in slots),
    )  # fmt: skip
    for name in grant.volumes:
        check_options(name, await world.engine.volume_options(name))
    alone = world.locks.hold(user.uid, "volumes of starts", "start", told="Your volumes are busy")
    async with alone if grant.volumes else nullcontext():
        await _check_volumes(world, guarding.folder, grant, folders)
        await asyncio.to_thread(world.host.grant, guarding.folder, grant)


async def _attached(world: World, slots: tuple[Slot, ...]) -> Attachment | None:
    return await asyncio.to_thread(world.devices.attach, slots) if slots else None


def _nodes(attached: Attachment, slots: tuple[Slot, ...]) -> tuple[str, ...]:
    """The nodes of these slots; those that the engine itself puts beside a GPU when it is asked for one."""
    given = tuple(device.host for device in attached.devices)
    if not attached.requests:
        return given
    return (*given, *(f"/dev/nvidia{slot.minor}" for slot in slots), *BESIDE_GPUS,
            *(INSTANCE_NODES if not all(slot.whole for slot in slots) else ()))  # fmt: skip


@asynccontextmanager
async def offered(world: World, user: User, container: ContainerId, terminal: Terminal | None) -> AsyncIterator[None]:
    """While this lasts, a start of the container begins with a shell on this terminal; without a guard it does not."""
    guarding = await world.engine.guard() if terminal is not None else None
    if guarding is None or terminal is None:
        yield
        return
    take_back = await asyncio.to_thread(world.host.offer, guarding.folder, container, user, terminal)
    try:
        yield
    finally:
        await asyncio.to_thread(take_back)


async def withdraw(world: World, container: ContainerId) -> None:
    """It will not start now: take the grant away."""
    guarding = await world.engine.guard()
    if guarding is not None:
        await asyncio.to_thread(world.host.withdraw, guarding.folder, container)


async def spend(world: World, container: Container) -> None:
    """Its GPUs are not to be had by the grant of a start any more, whether or not that start came: the engine may have
    one on its way, for as long as a program takes to end.
    """
    guarding = await world.engine.guard() if container.gpus else None
    if guarding is not None:
        await asyncio.to_thread(world.host.spend, guarding.folder, container.id)


async def publish(world: World) -> None:
    """Keep the guard's facts true."""
    guarding = await world.engine.guard()
    if guarding is not None:
        await asyncio.to_thread(world.host.publish, guarding.folder, guarding.data_root)


async def tell_refusals(world: World) -> None:
    """Events of what the guard refused, as the affair of the container's owner where there is one."""
    guarding = await world.engine.guard()
    if guarding is None:
        return
    found = await asyncio.to_thread(world.host.refused, guarding.folder)
    if not found:
        return

    def write(books: Books) -> None:
        for refusal in found:
            container = books.container(ContainerId(refusal.container))
            name = container.name if container else refusal.container[:12]
            books.record(
                Event(
                    at=refusal.at, type=EventType.GUARD_REFUSED, actor=None, uid=container.uid if container else None,
                    subject=container.name if container else refusal.container, outcome="denied",
                    details={"name": name, "container": refusal.container, "reason": refusal.message},
                )
            )  # fmt: skip

    await world.ledger.write(write)
    await asyncio.to_thread(world.host.told, guarding.folder)


async def mark(world: World) -> None:
    """Mark the volumes that were in containers which run as their owner and bear no mark yet, because a DS01 of before
    left none: the grants of these containers are all there is to know them by. Raises Ds01Error.
    """
    guarding = await world.engine.guard()
    if guarding is None:
        return
    grants = await asyncio.to_thread(world.host.grants, guarding.folder)
    hers = {name for grant in grants if grant.as_owner for name in grant.volumes}
    if hers:
        folders = [seen.folder for seen in await world.engine.volumes() if seen.name in hers]
        await asyncio.to_thread(_mark_left, world, folders)


async def forget(world: World, there: Iterable[ContainerId]) -> None:
    """Grants of containers that are gone go too, and those of GPUs that no start is to come for. ``there`` are the
    containers the engine had a moment ago: one that was made since is looked for once more, or a start at that moment
    would be refused.
    """
    guarding = await world.engine.guard()
    if guarding is None:
        return
    known = set(there)
    for grant in await asyncio.to_thread(world.host.grants, guarding.folder):
        if world.tickets.starting(grant.container, world.clock.monotonic()):
            continue
        if grant.container in known:
            await _spend_left(world, grant)
        elif await world.engine.inspect(grant.container, seconds=LOOK_SECONDS) is None:
            await asyncio.to_thread(world.host.withdraw, guarding.folder, grant.container)


async def _spend_left(world: World, grant: StartGrant) -> None:
    """A grant that was not used by the start it was for, of which this ds01d may never have known. Who is at work on
    the container now may have given it this moment.
    """
    known = await world.ledger.read(lambda books: _left(books, grant))
    if known is None or world.locks.busy(known.uid, known.name):
        return
    async with world.locks.hold(known.uid, known.name, "the reconciler", patience=1):
        now = await world.ledger.read(lambda books: _left(books, grant))
        if now is not None and not world.tickets.starting(now.id, world.clock.monotonic()):
            await spend(world, now)


def _left(books: Books, grant: StartGrant) -> Container | None:
    """The container, if its grant has GPUs and no start can come for them: it runs, is out of service, or has no lease
    any more.
    """
    found = books.container(grant.container) if grant.gpus and not grant.used else None
    if found is None or (found.state in _STARTABLE and (open_lease(books, found) or promised_lease(books, found))):
        return None
    return found


async def _check_volumes(world: World, folder: str, grant: StartGrant, folders: Mapping[str, str]) -> None:
    """Kinds never meet in a volume, at the same time or one after the other: once it was in a container that runs as
    its owner, it is in none with root any more. From her shell she may have kept an open folder of it. That is noted at
    the volume itself, before the start: ``folders`` are where they are. No other start of hers with volumes is looked
    at meanwhile.
    """
    if not grant.volumes:
        return

    def running(books: Books) -> set[ContainerId]:
        live = (ContainerState.RUNNING, ContainerState.PAUSED)
        return {found.id for found in books.containers() if found.state in live}

    up = await world.ledger.read(running)
    others = await asyncio.to_thread(world.host.grants, folder)
    check_volumes(grant, tuple(other for other in others if other.container in up))
    if grant.as_owner:
        for other, volume in common(grant, others, as_owner=False):
            if other.container not in up:
                await _hold_off(world, folder, other, volume)
        await asyncio.to_thread(_mark, world, grant.volumes, folders)
    else:
        for other, volume in common(grant, others, as_owner=True):
            if await world.engine.inspect(other.container) is not None:  # made by a DS01 that left no marks
                raise reached(volume, grant.uid)
        await world.ledger.read(lambda books: _check_known(books, grant))
        await asyncio.to_thread(_check_unmarked, world, grant, folders)


async def _hold_off(world: World, folder: str, other: StartGrant, volume: str) -> None:
    """A container with root that does not run, as far as is known, does not start any more without being asked about:
    not by its restart policy either. Raises Ds01Error where it is about to run, or runs.
    """
    known = await world.ledger.read(lambda books: books.container(other.container))
    starting = world.tickets.starting(other.container, world.clock.monotonic())
    if starting or (known is not None and world.locks.busy(known.uid, known.name)):
        raise in_use(volume, other.uid)
    await asyncio.to_thread(world.host.withdraw, folder, other.container)
    seen = await world.engine.inspect(other.container)
    if seen is not None and seen.running:
        await asyncio.to_thread(world.host.grant, folder, other)
        raise in_use(volume, other.uid)


def _check_known(books: Books, grant: StartGrant) -> None:
    """Raises Ds01Error for a volume that the ledger does not know."""
    for name in grant.volumes:
        if books.volume(name) is None:
            raise unknown(name, grant.uid)


def _mark(world: World, volumes: Iterable[str], folders: Mapping[str, str]) -> None:
    for name in volumes:
        if not world.host.is_reached(folders[name]):
            world.host.mark_reached(folders[name])


def _mark_left(world: World, folders: Iterable[str]) -> None:
    """Of what cannot be said whether it is marked, no start with root is granted either."""
    for folder in folders:
        try:
            known = world.host.is_reached(folder)
        except Ds01Error:
            continue
        if not known:
            world.host.mark_reached(folder)


def _check_unmarked(world: World, grant: StartGrant, folders: Mapping[str, str]) -> None:
    for name in grant.volumes:
        if world.host.is_reached(folders[name]):
            raise reached(name, grant.uid)
