"""Writing down what happened to one container while nobody asked DS01: it stopped, started, paused, is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ds01.domain.container import Container, ContainerState, Observed, StopReason
from ds01.domain.events import EventType
from ds01.domain.limits import effective
from ds01.domain.people import Uid
from ds01.domain.reconcile import Outage, Verdict, judge, misplaced, removal_reason, stop_reason
from ds01.ports.ledger import Books
from ds01.services.aside import end_sharing_held, set_aside
from ds01.services.ending import open_lease, promised_lease, record_removal, record_stop
from ds01.services.guard import spend
from ds01.services.running import record_start
from ds01.services.tell import tell
from ds01.services.world import World


async def repair(
    world: World, container: Container, seen: Observed | None, *, rebooted: bool, outages: Sequence[Outage],
    died: int | None = None,
) -> None:  # fmt: skip
    """Make the ledger say what is. The lock of the container is held. ``died`` as in ``removal_reason``."""
    now = world.clock.now()
    if seen is None:
        await world.ledger.write(lambda books: _gone(books, container, now, died))
        if container.pins:
            await asyncio.to_thread(world.host.unpin, container.pins)
        return
    match judge(container, seen):
        case Verdict.STOPPED:
            reason, detail = stop_reason(container, seen, rebooted=rebooted, outages=outages,
                                         peak=world.memory.peak(container.id))  # fmt: skip
            await _stopped(world, container, seen, reason, detail)
        case Verdict.STARTED:
            await world.ledger.write(lambda books: _started(books, container, seen, now))
            await end_sharing_held(world, seen)
        case Verdict.PAUSED:
            await _switch(world, container, ContainerState.PAUSED, EventType.CONTAINER_PAUSED)
        case Verdict.UNPAUSED:
            await _switch(world, container, ContainerState.RUNNING, EventType.CONTAINER_UNPAUSED)
        case Verdict.TRUE | Verdict.GONE:
            await _check_gpus(world, container, seen, now)


def _gone(books: Books, container: Container, now: datetime, died: int | None) -> None:
    """Somebody with the engine's own socket removed it, or it went with its end, whoever ended it."""
    reason, detail = removal_reason(container, died)
    actor = _who(container, reason) if container.state in (ContainerState.RUNNING, ContainerState.PAUSED) else None
    outside = actor is None and reason is not StopReason.EXIT
    record_removal(
        books, container, now=now, actor=actor, reason=reason, detail=detail,
        why="its container was removed outside DS01" if outside else "its container was removed",
    )  # fmt: skip


async def _stopped(world: World, container: Container, seen: Observed, reason: StopReason, detail: str) -> None:
    """Its GPU is held for a start that was granted and may still come, like that of a restart; for no other one."""
    now, hold = world.clock.now(), await asyncio.to_thread(_hold, world, container)
    coming = world.tickets.start_left(container.id, world.clock.monotonic())
    if coming <= timedelta(0):
        await spend(world, container)

    def write(books: Books) -> bool:
        stopped = record_stop(
            books, container, at=seen.finished_at or now, now=now, reason=reason, detail=detail,
            hold=max(hold, coming), actor=_who(container, reason),
        )  # fmt: skip
        return open_lease(books, stopped) is not None

    if not await world.ledger.write(write):
        await spend(world, container)


def _who(container: Container, reason: StopReason) -> Uid | None:
    """Who ended it: its owner, where her word was written down before, as that of ``docker stop`` is."""
    return container.uid if reason in (StopReason.USER, StopReason.RETIRED) else None


def _started(books: Books, container: Container, seen: Observed, now: datetime) -> None:
    lease = open_lease(books, container) or promised_lease(books, container)
    problem = misplaced(seen, lease, container.gpus)
    if problem:
        set_aside(books, container, seen, problem, now)
    else:
        record_start(books, container, lease=lease, now=now, actor=None)


async def _switch(world: World, container: Container, state: ContainerState, type_: EventType) -> None:
    changed = replace(container, state=state)

    def write(books: Books) -> None:
        books.put_container(changed)
        tell(books, type_, changed, at=world.clock.now(), actor=None)

    await world.ledger.write(write)


async def _check_gpus(world: World, container: Container, seen: Observed, now: datetime) -> None:
    """I2: a running container's devices are those of its one lease."""
    if not seen.running or container.state is ContainerState.QUARANTINED:
        return
    problem = await world.ledger.read(lambda books: misplaced(seen, open_lease(books, container), container.gpus))
    if problem:
        await world.ledger.write(lambda books: set_aside(books, container, seen, problem, now))
        await end_sharing_held(world, seen)


def _hold(world: World, container: Container) -> timedelta:
    """How long its GPU is kept for it; not at all for somebody who has no account any more."""
    user = world.directory.by_uid(container.uid)
    if user is None:
        return timedelta(0)
    return effective(world.settings().policy, user, container.door, world.clock.now()).gpu_hold
