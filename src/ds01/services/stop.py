"""Stopping: the project's own command, SIGTERM, the grace, SIGKILL. The container stays for its hold time, its GPU for
the shorter GPU hold.

Who stops it and why is written down before the engine is asked: if ds01d dies in between, the reason survives.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from datetime import timedelta

from ds01.domain.container import Container, ContainerState, Observed, StopReason
from ds01.domain.errors import UNANSWERED, Ds01Error
from ds01.domain.limits import Limits, effective
from ds01.domain.people import Uid, User
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.ending import record_removal, record_stop
from ds01.services.find import find
from ds01.services.guard import spend
from ds01.services.on_behalf import tell_owner
from ds01.services.world import World

LONGEST_GRACE = 300
"""Seconds anybody may ask for: while a stop waits, nobody else can act on the container, no limit and no admin."""
SAVING = 0.8
"""The part of the grace that the project's own command gets; the rest is for programs that wait for SIGTERM."""
WITH_ITS_END = "it went with its end"
"""Why a container of ``docker run --rm`` is gone."""
KILLED = 137
"""The exit code of a main process that SIGKILL ended."""


async def stop(world: World, caller: Caller, name: str, grace_seconds: int | None = None) -> Container:
    """Stop it; one that is stopped already is fine. ``grace_seconds`` None is the limit's."""
    async with world.locks.hold(caller.uid, name, "stop"):
        container = await world.ledger.read(lambda books: find(books, caller, name))
        if container.state not in (ContainerState.RUNNING, ContainerState.PAUSED):
            return container
        reason, detail = by_whom(caller)
        stopped = await stop_held(world, container, reason, detail, caller, grace_seconds=grace_seconds)
    await tell_owner(world, caller, stopped, "stopped")
    return stopped


def by_whom(caller: Caller) -> tuple[StopReason, str]:
    """The reason of what a person does: the owner, or an admin by name."""
    return (StopReason.ADMIN, caller.actor_login) if caller.for_another else (StopReason.USER, "")


async def stop_held(
    world: World, container: Container, reason: StopReason, detail: str, caller: Caller, *,
    grace_seconds: int | None = None,
) -> Container:  # fmt: skip
    """Stop a container whose lock is held, and write down how it ended."""
    ended = await ask_to_end(world, container, reason, detail, caller, grace_seconds=grace_seconds)
    return await record_end(world, ended, caller)


async def ask_to_end(
    world: World, container: Container, reason: StopReason, detail: str, caller: Caller, *,
    grace_seconds: int | None = None,
) -> Ended:  # fmt: skip
    """Stop it because somebody says so, with her grace or the one she asks for."""
    usual = int(_limits(world, container, caller).stop_grace.total_seconds())
    grace = usual if grace_seconds is None else min(max(0, grace_seconds), max(usual, LONGEST_GRACE))
    return await end_with_reason(world, caller.user, container, reason, detail, grace)


async def record_end(world: World, ended: Ended, caller: Caller) -> Container:
    """Write down that it stopped, for the reason it bears; its GPU is held from then on."""
    hold = _limits(world, ended.container, caller).gpu_hold
    return await record_ended(world, ended, hold=hold, actor=caller.actor, why=caller.reason)


def _limits(world: World, container: Container, caller: Caller) -> Limits:
    return effective(world.settings().policy, caller.user, container.door, world.clock.now())


async def goes_with_its_end(world: World, container: Container) -> bool:
    """Whether a stop removes it (``docker run --rm``): afterwards there is nothing left to look at."""
    seen = await world.engine.inspect(container.id)
    return seen is not None and seen.running and seen.auto_remove


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A container that was stopped, not yet written down. ``killed``: its programs did not end within ``grace``
    seconds; ``on_stop`` is how its command of the project file went, as a sentence.
    """

    container: Container
    grace: int = 0
    killed: bool = False
    on_stop: str = ""
    seen: Observed | None = None


async def end_with_reason(
    world: World, user: User, container: Container, reason: StopReason, detail: str, grace: int
) -> Ended:
    """Stop it with its reason written down before. It is taken back when the engine refuses, and only then: a stop
    whose answer was lost, or that nobody waits for any more, goes on in the engine. A restart that waits there for the
    same end does not start it again with its GPUs.
    """
    meant = replace(container, reason=reason, reason_detail=detail)
    await world.ledger.write(lambda books: books.put_container(meant))
    try:
        with world.copies.ended(container.id):
            told = await _end(world, user, meant, grace)
    except Ds01Error as error:
        if error.kind not in UNANSWERED:
            await world.ledger.write(lambda books: books.put_container(container))
        raise
    seen = await world.engine.inspect(container.id)
    killed = grace > 0 and seen is not None and not seen.oom_killed and seen.exit_code == KILLED
    return Ended(container=meant, grace=grace, killed=killed, on_stop=told, seen=seen)


async def _end(world: World, user: User, container: Container, grace: int) -> str:
    """Ask the engine. A paused container cannot hear SIGTERM: it goes on first."""
    await spend(world, container)
    if container.state is ContainerState.PAUSED:
        await world.engine.unpause(container.id)
    begun = world.clock.monotonic()
    told = await _save(world, user, container, grace * SAVING) if container.on_stop and grace else ""
    spent = min(world.clock.monotonic() - begun, grace * SAVING)
    left = math.ceil(grace - spent)
    await world.engine.stop(container.id, left)
    return told


async def _save(world: World, user: User, container: Container, seconds: float) -> str:
    """Run the project's own command, so that a checkpoint can be written. However it ends, the stop goes on."""
    try:
        code = await world.engine.execute(
            container.id, ("sh", "-c", container.on_stop), user=f"{user.uid}:{user.gid}", seconds=seconds
        )
    except Ds01Error as error:
        return f"Its on_stop command could not be run: {(error.problem.reason or error.problem.message).rstrip('.')}."
    if code is None:
        return "Its on_stop command did not end in time."
    return "Its on_stop command ended well." if code == 0 else f"Its on_stop command failed with exit code {code}."


async def record_ended(world: World, ended: Ended, *, hold: timedelta, actor: Uid | None, why: str = "") -> Container:
    """Write down that it stopped, when, and how; ``why`` is the reason an admin gave. What the engine removes with its
    end is gone, and nothing is held for it.
    """
    now = world.clock.now()
    at = (ended.seen.finished_at if ended.seen else None) or now
    container, gone = ended.container, ended.seen is None or ended.seen.auto_remove

    def write(books: Books) -> Container:
        stopped = record_stop(
            books, container, at=at, now=now, reason=container.reason or StopReason.USER,
            detail=container.reason_detail, hold=timedelta(0) if gone else hold, actor=actor,
            killed=f"{ended.grace}s" if ended.killed else "",
            on_stop=ended.on_stop.rstrip(".").replace("Its on_stop", "its on_stop"), why=why,
        )  # fmt: skip
        return record_removal(books, stopped, now=now, actor=actor, told=WITH_ITS_END) if gone else stopped

    recorded = await world.ledger.write(write)
    if gone and container.pins:
        await asyncio.to_thread(world.host.unpin, container.pins)
    return recorded
