"""What an owner does to her container through the Docker door, as far as the ledger must know of it.

A stop is written down before the engine is asked, so that its reason is right whoever sees the end first; a signal
only when it is meant to end the container. A removal is believed when the engine no longer has the container.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ds01.domain import signals
from ds01.domain.container import Container, ContainerId, ContainerState, StopReason
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, identify
from ds01.services.door.own import hers
from ds01.services.ending import record_removal
from ds01.services.world import World
from ds01.wire.door import DoorGone, GoneBy

ENDS_SECONDS = 5.0
_RUNS = (ContainerState.RUNNING, ContainerState.PAUSED)


async def gone(world: World, ask: DoorGone) -> None:
    """Write down what ``ask`` says. Raises Ds01Error when the container is not hers and she is no admin."""
    caller = await identify(world, ask.uid)
    found = await world.ledger.read(lambda books: hers(books, caller, ask.id, admins=True))
    if ask.what is GoneBy.REMOVED:
        await settle(world, caller, found)
    elif ask.what is GoneBy.STOP or (ask.what is GoneBy.KILL and await _ends(world, found, ask.signal)):
        await world.ledger.write(lambda books: _blame(books, caller, found.id))


async def _ends(world: World, found: Container, signal: str) -> bool:
    """Whether the signal is meant to end it. Its own stop signal is asked for only when no usual one is sent, and it
    runs. Raises Ds01Error where it does not answer soon: it would not hear a signal either.
    """
    if signals.ends(signal):
        return True
    if found.state not in _RUNS:
        return False
    seen = await world.engine.inspect(found.id, seconds=ENDS_SECONDS)
    return seen is not None and signals.ends(signal, seen.stop_signal)


def _blame(books: Books, caller: Caller, container: ContainerId) -> None:
    """Who ends it, as it is now: one that somebody else has stopped or removed meanwhile ended by that."""
    now = books.container(container)
    if now is not None and now.state in _RUNS:
        reason, detail = _by(caller, now)
        books.put_container(replace(now, reason=reason, reason_detail=detail))


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
    await world.ledger.write(lambda books: _remove(books, world, caller, found.id))
    if found.pins:
        await asyncio.to_thread(world.host.unpin, found.pins)


def _remove(books: Books, world: World, caller: Caller, container: ContainerId) -> None:
    known = books.container(container)
    if known is not None and known.state is not ContainerState.REMOVED:
        reason, detail = _by(caller, known)
        record_removal(books, known, now=world.clock.now(), actor=caller.actor, reason=reason, detail=detail)
