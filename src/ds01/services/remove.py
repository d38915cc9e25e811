"""Removing a container: what is in it goes, its image and its owner's files stay, its GPU is free at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from ds01.domain.container import Container, ContainerState, Observed, StopReason
from ds01.domain.errors import IMAGE_IN_USE, NO_IMAGE, WRONG_STATE, Ds01Error
from ds01.domain.labels import Label
from ds01.domain.queue.plan import Owner
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.ending import record_removal
from ds01.services.find import find
from ds01.services.on_behalf import tell_owner
from ds01.services.queue.turn import moot
from ds01.services.stop import by_whom
from ds01.services.world import World

T = TypeVar("T")


async def remove(world: World, caller: Caller, name: str, *, force: bool = False) -> Container:
    """Remove a stopped container; ``force`` also one that runs, without a grace."""
    async with world.locks.hold(caller.uid, name, "remove"):
        container = await world.ledger.read(lambda books: find(books, caller, name))
        if not force and container.state in (ContainerState.RUNNING, ContainerState.PAUSED):
            raise Ds01Error(
                WRONG_STATE, f"Container '{name}' is {container.state.value}.",
                reason="Removing it would end what runs in it.", hint=f"ds01 retire {name}",
            )  # fmt: skip
        reason, detail = by_whom(caller)
        gone = await remove_held(world, caller, container, force=force, reason=reason, detail=detail)
    await tell_owner(world, caller, gone, "removed")
    return gone


async def remove_held(
    world: World, caller: Caller, container: Container, *, force: bool, reason: StopReason, detail: str = ""
) -> Container:
    """Remove a container whose lock is held. Its GPU is grantable when this returns."""
    with world.copies.ended(container.id):
        seen = await world.engine.inspect(container.id)
        return await take_away(
            world, container, seen, lambda books: _record(books, world, caller, container, reason, detail), force=force
        )  # fmt: skip


async def take_away(
    world: World, container: Container, seen: Observed | None, record: Callable[[Books], T], *, force: bool = False
) -> T:
    """Remove it from the engine, ``record`` that, and give back what was there for it alone: its layer and its pins.

    ``seen`` is the container before. Returns what was recorded.
    """
    await world.engine.remove(container.id, force=force)
    recorded = await world.ledger.write(record)
    if seen is not None and seen.image != container.image:
        await drop_layer(world, seen.image)
    if container.pins:
        await asyncio.to_thread(world.host.unpin, container.pins)
    return recorded


def _record(
    books: Books, world: World, caller: Caller, container: Container, reason: StopReason, detail: str
) -> Container:
    now = world.clock.now()
    owner = Owner(container.uid, container.epoch)
    moot(books, owner, container.name, now, actor=caller.actor, reason="its container was removed")
    return record_removal(
        books, container, now=now, actor=caller.actor, reason=reason, detail=detail,
        said=caller.reason,
    )  # fmt: skip


async def drop_layer(world: World, image: str) -> None:
    """The internal image that held a container's writable layer goes with it, unless another one stands on it."""
    known = await world.engine.image(image)
    if known is None or Label.INTERNAL not in known.labels:
        return
    try:
        await world.engine.remove_image(image)
    except Ds01Error as error:
        if error.kind not in (IMAGE_IN_USE, NO_IMAGE):
            raise
