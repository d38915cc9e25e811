"""Doing what is due, as DS01 itself: stopping with grace and a reason, removing with what is worth keeping noted down.

Each looks again under the container's lock: who came first and used, stopped or removed it is not overruled.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from ds01.domain.container import Container, ContainerState, Observed, StopReason
from ds01.domain.lifecycle.case import ZERO, Due, Rule
from ds01.domain.limits import Limits
from ds01.domain.people import User
from ds01.domain.queue.plan import Owner
from ds01.ports.ledger import Books
from ds01.services.ending import open_lease, record_removal
from ds01.services.queue.turn import moot
from ds01.services.remove import take_away
from ds01.services.stop import end_with_reason, record_ended
from ds01.services.suggest import Suggested, found_in, noted, record
from ds01.services.world import World

REASONS = {
    Rule.IDLE: StopReason.IDLE, Rule.PAUSED: StopReason.IDLE, Rule.RUNTIME: StopReason.RUNTIME,
    Rule.YIELDING: StopReason.PREEMPTED,
}  # fmt: skip
"""Why a container stopped that a rule stopped."""
STANDING = (ContainerState.RUNNING, ContainerState.PAUSED)


@dataclass(frozen=True, kw_only=True)
class Done:
    """How it went. ``killed``: its programs did not end by themselves."""

    container: Container
    killed: bool = False
    on_stop: str = ""
    held_until: datetime | None = None
    kept: Suggested = field(default_factory=Suggested)


async def stop(
    world: World, user: User, limits: Limits, container: Container, due: Due, booked: str = "", *, aside: bool = False
) -> Done | None:
    """Stop it; None when it does not run any more, or was given more time since this was decided. ``booked`` is what
    its GPU was of, if that is over; ``aside`` says that it may be out of service.
    """
    standing = (*STANDING, ContainerState.QUARANTINED) if aside else STANDING
    async with world.locks.hold(container.uid, container.name, "DS01, which stops it,"):
        current = await world.ledger.read(lambda books: books.container(container.id))
        if current is None or current.state not in standing or _prolonged(container, current):
            return None
        grace = int(limits.stop_grace.total_seconds())
        reason = StopReason.BOOKING if booked else REASONS[due.rule]
        ended = await end_with_reason(world, user, current, reason, booked or due.detail, grace)
        hold = ZERO if due.rule is Rule.YIELDING else limits.gpu_hold
        stopped = await record_ended(world, ended, hold=hold, actor=None)
        lease = await world.ledger.read(lambda books: open_lease(books, stopped))
    return Done(
        container=stopped, killed=ended.killed, on_stop=ended.on_stop,
        held_until=lease.expires_at if lease is not None else None,
    )  # fmt: skip


def _prolonged(judged: Container, now: Container) -> bool:
    return (judged.kept_until, judged.extended) != (now.kept_until, now.extended)


async def remove(world: World, container: Container, why: str) -> Done | None:
    """Remove it; None when it is in use or gone."""
    async with world.locks.hold(container.uid, container.name, "DS01, which removes it,"):
        current = await world.ledger.read(lambda books: books.container(container.id))
        if current is None or current.state not in (ContainerState.STOPPED, ContainerState.CREATING):
            return None
        if world.tickets.starting(container.id, world.clock.monotonic()):
            return None
        with world.copies.ended(current.id):
            seen = await world.engine.inspect(current.id)
            kept = await _keep(world, current, seen)
            gone = await take_away(world, current, seen, lambda books: _record(books, world, current, why, kept))
    return Done(container=gone, kept=kept)


async def _keep(world: World, container: Container, seen: Observed | None) -> Suggested:
    """Packages added by hand, so that the project has them when the container is gone."""
    if container.started_at is None or seen is None:
        return Suggested()
    found = await found_in(world, container, seen)
    owner = await asyncio.to_thread(world.directory.by_uid, container.uid)
    return await noted(world, owner, container, found.packages)


def _record(books: Books, world: World, container: Container, why: str, kept: Suggested) -> Container:
    now = world.clock.now()
    record(books, container, kept, at=now, actor=None)
    moot(books, Owner(container.uid, container.epoch), container.name, now, actor=None, reason="it was removed")
    return record_removal(books, container, now=now, actor=None, told=why)
