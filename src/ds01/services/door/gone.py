"""What an owner does to her container through the Docker door, as far as the ledger must know of it.

A stop is written down before the engine is asked, so that its reason is right whoever sees the end first. A removal
is believed when the engine no longer has the container.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ds01.domain.container import Container, ContainerId, ContainerState, StopReason
from ds01.domain.errors import NO_CONTAINER, Ds01Error
from ds01.services.caller import Caller, identify
from ds01.services.ending import record_removal
from ds01.services.world import World
from ds01.wire.door import DoorGone, Going


async def gone(world: World, ask: DoorGone) -> None:
    """Write down what ``ask`` says. Raises Ds01Error when the container is not hers and she is no admin."""
    caller = await identify(world, ask.uid)
    found = await world.ledger.read(lambda books: books.container(ContainerId(ask.id)))
    if found is None or not (caller.limits.admin or found.uid == caller.uid):
        raise Ds01Error(NO_CONTAINER, f"No such container: {ask.id}")
    if ask.what is Going.REMOVED:
        await settle(world, caller, found)
    elif found.state in (ContainerState.RUNNING, ContainerState.PAUSED) and ask.what is not Going.RESTART:
        reason, detail = _by(caller, found)
        await world.ledger.write(lambda books: books.put_container(replace(found, reason=reason, reason_detail=detail)))


def _by(caller: Caller, found: Container) -> tuple[StopReason, str]:
    if caller.uid == found.uid:
        return StopReason.USER, ""
    return StopReason.ADMIN, caller.actor_login


async def settle(world: World, caller: Caller, found: Container) -> None:
    """Write a removal down, when there was one. Lease and pins are free when this returns, whoever freed them."""
    async with world.locks.hold(found.uid, found.name, "remove"):
        known = await world.ledger.read(lambda books: books.container(found.id))
        if known is not None and known.state is not ContainerState.REMOVED:
            await _settle_held(world, caller, known)


async def _settle_held(world: World, caller: Caller, found: Container) -> None:
    if await world.engine.inspect(found.id) is not None:
        return
    reason, detail = _by(caller, found)
    await world.ledger.write(
        lambda books: record_removal(
            books, found, now=world.clock.now(), actor=caller.actor, reason=reason, detail=detail
        )
    )  # fmt: skip
    if found.pins:
        await asyncio.to_thread(world.host.unpin, found.pins)
