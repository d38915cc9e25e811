"""Retiring: look at what would be lost, keep what is wanted, then stop, remove, and free the GPU before answering.

Nothing is refused and nothing is lost silently: the preview lists processes, changed files outside the workspace and
packages added by hand; the rescue copies those files into the workspace, as the user, before anything is removed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from ds01.domain.assembly import SESSION
from ds01.domain.changes import Findings, Package
from ds01.domain.container import Container, ContainerState, StopReason
from ds01.domain.errors import BUSY, ENGINE_ERROR, Ds01Error
from ds01.ports.engine import Process
from ds01.services.caller import Caller
from ds01.services.find import find
from ds01.services.observe import view
from ds01.services.on_behalf import tell_owner
from ds01.services.remove import remove_held
from ds01.services.rescue import rescue
from ds01.services.stop import Ended, ask_to_end, goes_with_its_end, record_end
from ds01.services.suggest import found_in, named, noted, record
from ds01.services.world import World
from ds01.wire.containers import PackageView, RetirePreview, RetireRequest, RetireResult

Kept = tuple[Findings, str]
"""What would be lost with a container, and where the files among it were saved."""
Keep = Callable[[Container], Awaitable[Kept]]

SHOWN = 200
"""How many changed files a preview lists by name."""

RELAY = '-c """Runs in the container, by whatever Python'
"""How the program that leads to a port of a container begins (``ds01.cli.editors.relay``)."""


async def preview(world: World, caller: Caller, name: str) -> RetirePreview:
    """What retiring would end and lose. Nothing happens."""
    container = await world.ledger.read(lambda books: find(books, caller, name))
    async with world.looks.hold(container.uid, container.name, "another look at what would be lost"):
        found = await _findings(world, container)
    processes = await _programs(world, container)
    return RetirePreview(
        container=await view(world, caller, container),
        processes=tuple(process.command for process in processes if not _ours(process)),
        files=found.files[:SHOWN],
        files_total=len(found.files),
        packages=_packages(found.packages),
        workspace=container.workspace,
    )


async def _programs(world: World, container: Container) -> tuple[Process, ...]:
    """What would end. An engine that cannot tell (it asks the server's ``ps``) keeps nobody from retiring."""
    try:
        return await world.engine.processes(container.id)
    except Ds01Error as error:
        if error.kind is not ENGINE_ERROR:
            raise
        return ()


async def retire(
    world: World, caller: Caller, name: str, request: RetireRequest, *, note: bool = False, over: str = ""
) -> RetireResult:
    """Stop, rescue, remove, release. The GPU can be leased by anybody when this returns.

    ``note``: nobody is there whose own command keeps the packages, so they are noted in the workspace. ``over`` is what
    its GPU was of (``class``), when it is retired because that has ended.
    """
    reason, detail = (StopReason.BOOKING, over) if over else (StopReason.RETIRED, _by(caller))
    begun = world.clock.monotonic()
    async with world.locks.hold(caller.uid, name, "retire"):
        container = await world.ledger.read(lambda books: find(books, caller, name))
        _check_still(world, container)
        with world.copies.ended(container.id):
            labels = (await view(world, caller, container)).gpus
            keep = partial(_keep, world, caller, rescued=request.rescue, note=note)
            end = partial(_stop, world, caller, container, reason, detail, force=request.force)
            if await goes_with_its_end(world, container):
                found, saved = await _keep_of_running(world, container, keep, still=request.rescue)
                ended = _meant(await end(), container)
            else:
                stopped = await end()
                ended = _meant(stopped, container)
                try:
                    found, saved = await keep(ended)
                except Ds01Error:
                    if stopped is not None:  # nothing is removed then: the container stays, stopped
                        await record_end(world, stopped, caller)
                    raise
            gone = await remove_held(
                world, caller, ended, force=True, reason=reason, detail=ended.reason_detail
            )  # fmt: skip
    seconds = round(world.clock.monotonic() - begun, 3)
    await tell_owner(world, caller, gone, "retired")
    return RetireResult(
        name=name,
        freed=labels,
        rescued=saved,
        packages=_packages(found.packages),
        files_lost=0 if saved else len(found.files),
        workspace=container.workspace,
        seconds=seconds,
    )


def _check_still(world: World, container: Container) -> None:
    """A start that is on its way would let what runs inside change the files while root reads them."""
    if container.id and world.tickets.starting(container.id, world.clock.monotonic()):
        raise Ds01Error(
            BUSY, f"Container '{container.name}' is busy: it is being started.", hint=f"ds01 retire {container.name}"
        )


def _by(caller: Caller) -> str:
    return caller.actor_login if caller.for_another else ""


async def _stop(
    world: World, caller: Caller, container: Container, reason: StopReason, detail: str, *, force: bool
) -> Ended | None:
    if container.state in (ContainerState.STOPPED, ContainerState.CREATING):
        return None
    grace = 0 if force else None
    return await ask_to_end(world, container, reason, detail, caller, grace_seconds=grace)


def _meant(stopped: Ended | None, container: Container) -> Container:
    """The container with the reason of its stop, if it was stopped."""
    return stopped.container if stopped is not None else container


async def _keep_of_running(world: World, container: Container, keep: Keep, *, still: bool) -> Kept:
    """What is kept of one that goes with its end. It stands ``still`` while files are copied, so that they fit together
    and nothing in it changes them while root reads.
    """
    if not still or container.state is ContainerState.PAUSED:
        return await keep(container)
    await world.engine.pause(container.id)
    try:
        return await keep(container)
    finally:
        await world.engine.unpause(container.id)


async def _keep(world: World, caller: Caller, container: Container, *, rescued: bool, note: bool) -> Kept:
    """What would be lost, and where the files among it were saved."""
    found = await _findings(world, container)
    saved = await rescue(world, caller, container, found.files) if rescued and found.files else ""
    kept = await noted(world, caller.user, container, found.packages) if note else named(found.packages)
    at = world.clock.now()
    await world.ledger.write(lambda books: record(books, container, kept, at=at, actor=caller.actor))
    return found, saved


async def _findings(world: World, container: Container) -> Findings:
    return await found_in(world, container, await world.engine.inspect(container.id))


def _ours(process: Process) -> bool:
    """DS01's own processes in a container: its init, the session, what that waits with, and the ways to ports."""
    return SESSION in process.command or RELAY in process.command or process.command.startswith("sleep 2147483")


def _packages(packages: Sequence[Package]) -> tuple[PackageView, ...]:
    return tuple(
        PackageView(
            name=p.name,
            version=p.version,
            source=p.source,
            before=p.before,
            requested=p.requested,
            direct=p.direct,
            origin=p.origin,
        )
        for p in packages
    )
