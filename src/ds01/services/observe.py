"""Looking: lists, one container, its use of the machine, the whole picture of one user."""

from __future__ import annotations

import asyncio

from ds01.domain.container import Container, ContainerState
from ds01.domain.errors import WRONG_STATE, Ds01Error
from ds01.domain.quantity import show_gpueq, show_size
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.alarms import alarms
from ds01.services.announce import as_notice
from ds01.services.caller import Caller
from ds01.services.disk import use_shown
from ds01.services.find import find, mine
from ds01.services.gpus import gpus_view
from ds01.services.picture import Picture, limits_of, picture
from ds01.services.queue.show import view as queue_view
from ds01.services.world import World
from ds01.wire.containers import ContainerView, StatsView
from ds01.wire.pages import ROWS
from ds01.wire.status import PingView, StatusView, UsageView


async def list_containers(
    world: World, caller: Caller, *, everybody: bool = False, removed: bool = False, skip: int = 0
) -> tuple[ContainerView, ...]:
    """Containers by name: the caller's, or everybody's. With ``removed`` those that were made last, there or gone:
    one page of them, without so many of the latest as ``skip`` says.
    """
    uid = None if everybody else caller.uid
    found = await world.ledger.read(
        lambda books: books.containers_ever(uid, limit=ROWS, skip=skip) if removed else books.containers(uid)
    )
    shown = [c for c in found if everybody or c.epoch == caller.epoch]
    drawn = await draw(world, shown)
    return tuple(drawn.view(c, caller.actor) for c in sorted(shown, key=lambda c: (c.name, c.uid)))


async def show_container(world: World, caller: Caller, name: str) -> ContainerView:
    """One container."""
    container = await world.ledger.read(lambda books: find(books, caller, name))
    return await view(world, caller, container)


async def view(world: World, caller: Caller, container: Container, *, fresh: bool = False) -> ContainerView:
    """A container as the caller sees it. ``fresh``: what was measured of its GPUs was not of it."""
    return (await draw(world, [container], fresh=fresh)).view(container, caller.actor)


async def draw(world: World, containers: list[Container], *, fresh: bool = False) -> Picture:
    """A picture with what these containers' views need."""
    leased = not fresh and any(container.lease for container in containers)
    samples = await asyncio.to_thread(world.devices.samples) if leased else ()
    limits = await limits_of(world, containers)
    return await world.ledger.read(
        lambda books: picture(books, containers, samples=samples, limits=limits, world=world)
    )


async def stats(world: World, caller: Caller, name: str) -> StatsView:
    """One reading of a running container; the share of CPU is measured over a moment."""
    container = await world.ledger.read(lambda books: find(books, caller, name))
    first = await world.engine.usage(container.id)
    begun = world.clock.monotonic()
    if first is not None:
        await world.clock.sleep(SAMPLE_SECONDS)
    last = await world.engine.usage(container.id)
    seconds = max(world.clock.monotonic() - begun, 0.001)
    if first is None or last is None:
        raise Ds01Error(
            WRONG_STATE, f"Container '{name}' does not run.", reason=f"It is {container.state.value}.",
            hint=f"ds01 start {name}",
        )  # fmt: skip
    shown = await view(world, caller, container)
    return StatsView(
        name=name,
        cpu_percent=round(100 * (last.cpu_seconds - first.cpu_seconds) / seconds, 1),
        memory_bytes=last.memory_bytes,
        memory_limit_bytes=last.memory_limit_bytes,
        network_bytes=last.network_bytes,
        pids=last.pids,
        gpus=shown.gpus,
        gpu_utilisation=shown.gpu_utilisation,
    )


SAMPLE_SECONDS = 0.25


async def ping(world: World, login: str) -> PingView:
    """Whether we are here, and whether the engine is."""
    try:
        async with asyncio.timeout(2):
            engine = await world.engine.ping()
    except (Ds01Error, TimeoutError):
        engine = ""
    return PingView(
        version=world.version,
        simulated_gpus=world.devices.simulated,
        engine=engine,
        login=login,
        gateway=str(world.paths.gateway),
    )


async def status(world: World, caller: Caller) -> StatusView:
    """What the caller uses, what she may use, what is free."""
    samples = {sample.slot: sample for sample in await asyncio.to_thread(world.devices.samples)}
    disk = await _disk(world, caller)
    own = await world.ledger.read(lambda books: mine(books, caller))
    limits = await limits_of(world, own)
    off, now = await alarms(world, caller), world.clock.now()

    def read(books: Books) -> StatusView:
        drawn = picture(books, own, samples=samples.values(), limits=limits, world=world)
        return StatusView(
            login=caller.user.login,
            group=caller.limits.group,
            server=world.server,
            simulated_gpus=world.devices.simulated,
            usage=(*_usage(books, caller, own), *disk),
            gpus=gpus_view(books, world, caller, samples),
            containers=tuple(drawn.view(c, caller.actor) for c in sorted(own, key=lambda c: c.name)),
            queue=queue_view(books, world, caller),
            notices=(
                *(notice.title for notice in as_notice(books, world)),
                *(n.headline(now, world.zone) for n in books.notices(caller.uid) if n.epoch == caller.epoch),
            ),
            alarms=off,
        )

    return await world.ledger.read(read)


async def _disk(world: World, caller: Caller) -> tuple[UsageView, ...]:
    """What is on the server's disk, and nothing while the engine does not answer."""
    try:
        use = await use_shown(world, caller)
    except Ds01Error:
        return ()
    used = show_size(use.total_bytes)
    return (
        UsageView(
            what="disk", used=f"{used} ({use.parts})" if use.total_bytes else used,
            limit=show_size(caller.limits.disk_images_bytes),
        ),
    )  # fmt: skip


def _usage(books: Books, caller: Caller, own: tuple[Container, ...]) -> tuple[UsageView, ...]:
    limits = caller.limits
    running = sum(1 for c in own if c.state in (ContainerState.RUNNING, ContainerState.PAUSED))
    return (
        UsageView(
            what="GPUs",
            used=show_gpueq(leases.used(books, caller.uid, caller.epoch)),
            limit=show_gpueq(limits.gpus_max),
        ),
        UsageView(
            what="containers",
            used=f"{len(own)} ({running} running)",
            limit="no limit" if limits.containers is None else str(limits.containers),
        ),
    )
