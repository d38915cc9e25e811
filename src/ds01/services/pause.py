"""Pausing: the processes freeze where they are; memory and GPU stay with the container."""

from __future__ import annotations

from dataclasses import replace

from ds01.domain.container import Container, ContainerState
from ds01.domain.errors import WRONG_STATE, Ds01Error
from ds01.domain.events import EventType
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.find import find
from ds01.services.on_behalf import tell_owner
from ds01.services.tell import tell
from ds01.services.world import World


async def pause(world: World, caller: Caller, name: str) -> Container:
    """Freeze it; one that is paused already is fine."""
    async with world.locks.hold(caller.uid, name, "pause"):
        container = await world.ledger.read(lambda books: find(books, caller, name))
        if container.state is ContainerState.PAUSED:
            return container
        _require(container, ContainerState.RUNNING, "running")
        await world.engine.pause(container.id)
        paused = await _record(world, caller, container, ContainerState.PAUSED, EventType.CONTAINER_PAUSED)
    await tell_owner(world, caller, paused, "paused")
    return paused


async def unpause(world: World, caller: Caller, name: str) -> Container:
    """Let it go on; one that runs already is fine."""
    async with world.locks.hold(caller.uid, name, "unpause"):
        container = await world.ledger.read(lambda books: find(books, caller, name))
        running = await unpause_held(world, caller, container)
    if container.state is not running.state:
        await tell_owner(world, caller, running, "unpaused")
    return running


async def unpause_held(world: World, caller: Caller, container: Container) -> Container:
    """The same for a container whose lock is held."""
    if container.state is ContainerState.RUNNING:
        return container
    _require(container, ContainerState.PAUSED, "paused")
    await world.engine.unpause(container.id)
    return await _record(world, caller, container, ContainerState.RUNNING, EventType.CONTAINER_UNPAUSED)


def _require(container: Container, state: ContainerState, word: str) -> None:
    if container.state is not state:
        raise Ds01Error(
            WRONG_STATE, f"Container '{container.name}' is not {word}.", reason=f"It is {container.state.value}.",
            hint=f"ds01 start {container.name}" if word == "running" else "ds01 list",
        )  # fmt: skip


async def _record(
    world: World, caller: Caller, container: Container, state: ContainerState, type_: EventType
) -> Container:
    changed = replace(container, state=state)

    def write(books: Books) -> None:
        books.put_container(changed)
        tell(books, type_, changed, at=world.clock.now(), actor=caller.actor, why=caller.reason)

    await world.ledger.write(write)
    return changed
