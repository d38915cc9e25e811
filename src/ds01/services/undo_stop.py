"""Undoing a stop that DS01 made by itself: the container runs again, with its files as they were."""

from __future__ import annotations

from ds01.domain.container import Container, ContainerState, StopReason
from ds01.domain.errors import WRONG_STATE, Ds01Error
from ds01.domain.events import EventType
from ds01.domain.reasons import words
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.denied import denials
from ds01.services.find import find
from ds01.services.on_behalf import tell_owner
from ds01.services.start import Started, begin
from ds01.services.steps import Steps
from ds01.services.tell import tell
from ds01.services.world import World

BY_ITSELF = (StopReason.IDLE, StopReason.RUNTIME, StopReason.BOOKING)


async def undo_stop(world: World, caller: Caller, name: str, steps: Steps) -> Started:
    """Start it again, on the GPU that is kept for it or another. Raises Ds01Error when DS01 did not stop it."""
    async with denials(world, caller, name), world.locks.hold(caller.uid, name, "undo"):
        container = await world.ledger.read(lambda books: find(books, caller, name))
        if container.state is ContainerState.RUNNING:
            return Started(container=container, notes=("It runs already.",))
        _check(container)
        started = await begin(world, caller, container, steps)
        await world.ledger.write(lambda books: _tell(books, world, caller, container, started.container))
    await tell_owner(world, caller, started.container, "restarted")
    return started


def _check(container: Container) -> None:
    if container.state is ContainerState.STOPPED and container.reason in BY_ITSELF:
        return
    why = words(container.reason, container.reason_detail) if container.reason else container.state.value
    raise Ds01Error(
        WRONG_STATE, f"There is nothing to undo for '{container.name}'.",
        reason=f"Undo takes back what DS01 stopped by itself; this one: {why}.", hint=f"ds01 start {container.name}",
    )  # fmt: skip


def _tell(books: Books, world: World, caller: Caller, was: Container, now: Container) -> None:
    reason = words(was.reason, was.reason_detail) if was.reason else ""
    tell(books, EventType.CONTAINER_UNDONE, now, at=world.clock.now(), actor=caller.actor, reason=reason)
