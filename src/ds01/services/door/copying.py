"""Files that the gateway copies (``docker cp``): whether it may, and that it may for as long as it listens.

An engine that can be led astray mounts what a container has at paths that it resolves as root, and whoever can exchange
a folder for a link in that moment chooses where. So with such an engine nothing is copied while something runs that
sees these files, and none of it starts meanwhile. Nor is anything copied that a shell on this server may have open: a
folder that was opened through ``/proc/PID/root`` stays open when the container stops.

What starts does so by a grant of the guard's. A start that another ds01d granted may still be on its way, so the
grants are taken away before it is looked whether anything runs: what comes later does not start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack
from functools import partial

from ds01.domain.container import Container, ContainerId, ContainerState, Observed
from ds01.domain.errors import NOT_ALLOWED, Ds01Error
from ds01.domain.guard import as_owner
from ds01.domain.launch import out_of_service
from ds01.ports.ledger import Books
from ds01.services.astray import led_astray
from ds01.services.door.own import unknown
from ds01.services.world import World
from ds01.wire.errors import show
from ds01.wire.holdings import DoorCopy, DoorCopying


async def copying(world: World, ask: DoorCopy) -> AsyncGenerator[DoorCopying]:
    """One word: why not, or nothing. Then it is so until nobody listens any more, or the container is to end."""
    try:
        with ExitStack() as taken:
            over = await _begun(world, ContainerId(ask.id), taken)
            yield DoorCopying()
            await over.wait()
    except Ds01Error as error:
        yield DoorCopying(error=show(error.problem).error)


async def _begun(world: World, container: ContainerId, taken: ExitStack) -> asyncio.Event:
    found = await world.ledger.read(lambda books: _there(books, container))
    if await led_astray(world):
        await _alone(world, found, taken)
    return await world.copies.copy(taken, found.id)


def _there(books: Books, container: ContainerId) -> Container:
    found = books.container(container)
    if found is None or found.state is ContainerState.REMOVED:
        raise unknown(container)
    if found.state is ContainerState.QUARANTINED:
        raise out_of_service(found)
    return found


async def _alone(world: World, found: Container, taken: ExitStack) -> None:
    """Nothing sees its files but this copy. Raises Ds01Error. The container is taken before the engine is asked about
    it: the engine keeps one to itself while it copies, and would not answer.
    """
    guarding = await world.engine.guard()
    if guarding is None:
        raise _reached(found, "No guard keeps your shell out of it")
    if as_owner(found):
        raise _reached(found, "Everything in it runs as you")
    await world.copies.alone(taken, found.id)
    seen = await world.engine.inspect(found.id)
    if seen is None:
        raise unknown(found.id)
    await world.copies.alone(taken, *seen.volumes)
    await asyncio.to_thread(_check_unreached, world, guarding.folder, found, seen)
    sees = (found.id, *(other for other in await world.engine.having(seen.volumes) if other != found.id))
    await _check_still(world, found, sees)
    held = await asyncio.to_thread(_held_off, world, guarding.folder, sees)
    try:
        await _check_still(world, found, sees)
    except BaseException:
        await asyncio.to_thread(held.close)
        raise


def _check_unreached(world: World, folder: str, found: Container, seen: Observed) -> None:
    if any(grant.container == found.id and grant.as_owner for grant in world.host.grants(folder)):
        raise _reached(found, "Everything in it ran as you")
    if any(world.host.is_reached(seen.volume_folders[name]) for name in seen.volumes):
        raise _reached(found, "A volume of it was in a container that ran as you")


async def _check_still(world: World, found: Container, sees: Sequence[ContainerId]) -> None:
    """None of these runs. An engine that has begun to start one answers when it has done so."""
    for container in sees:
        seen = await world.engine.inspect(container)
        if seen is not None and seen.running:
            known = await world.ledger.read(partial(_named, seen))
            raise _runs(found, known)


def _named(seen: Observed, books: Books) -> str:
    known = books.container(seen.id)
    return known.name if known is not None else seen.stored_name


def _held_off(world: World, folder: str, sees: Sequence[ContainerId]) -> ExitStack:
    """What these were granted, taken away; given back when this is closed. Each is granted anew before it starts."""
    held = ExitStack()
    for grant in world.host.grants(folder):
        if grant.container in sees:
            world.host.withdraw(folder, grant.container)
            held.callback(world.host.grant, folder, grant)
    return held


def _reached(found: Container, why: str) -> Ds01Error:
    return Ds01Error(
        NOT_ALLOWED, f"This version of Docker does not copy files of '{found.name}'.",
        reason=f"{why}: a folder of it that your shell has open could be exchanged for a link meanwhile.",
        hint="Use ds01 cp while it runs", rule="archive.reached",
    )  # fmt: skip


def _runs(found: Container, name: str) -> Ds01Error:
    if name == found.name:
        return Ds01Error(
            NOT_ALLOWED, f"This version of Docker does not copy files of '{name}' while it runs.",
            reason="What runs could exchange a folder for a link meanwhile.",
            hint="Use ds01 cp, or stop it first", rule="archive.running",
        )  # fmt: skip
    return Ds01Error(
        NOT_ALLOWED, f"This version of Docker does not copy files of '{found.name}' while '{name}' runs.",
        reason="They have a volume in common, in which it could exchange a folder for a link meanwhile.",
        hint=f"Use ds01 cp with '{name}', or stop it first", rule="archive.shared",
    )  # fmt: skip
