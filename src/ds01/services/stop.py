"""Stopping: SIGTERM, the grace, SIGKILL. The container stays for its hold time, its GPU for the shorter GPU hold.

Who stops it and why is written down before the engine is asked: if ds01d dies in between, the reason survives.
"""

from __future__ import annotations

from dataclasses import replace

from ds01.domain.container import Container, ContainerState, StopReason
from ds01.domain.limits import Limits, effective
from ds01.services.caller import Caller
from ds01.services.ending import record_stop
from ds01.services.find import find
from ds01.services.undo import Undo
from ds01.services.world import World

LONGEST_GRACE = 300
"""Seconds anybody may ask for: while a stop waits, nobody else can act on the container, no limit and no admin."""


async def stop(world: World, caller: Caller, name: str, grace_seconds: int | None = None) -> Container:
    """Stop it; one that is stopped already is fine. ``grace_seconds`` None is the limit's."""
    async with world.locks.hold(caller.uid, name, "stop"):
        container = await world.ledger.read(lambda books: find(books, caller, name))
        if container.state not in (ContainerState.RUNNING, ContainerState.PAUSED):
            return container
        reason, detail = by_whom(caller)
        return await stop_held(world, container, reason, detail, caller, grace_seconds=grace_seconds)


def by_whom(caller: Caller) -> tuple[StopReason, str]:
    """The reason of what a person does: the owner, or an admin by name."""
    return (StopReason.ADMIN, caller.actor_login) if caller.for_another else (StopReason.USER, "")


async def stop_held(
    world: World, container: Container, reason: StopReason, detail: str, caller: Caller, *,
    grace_seconds: int | None = None,
) -> Container:  # fmt: skip
    """Stop a container whose lock is held, and write down how it ended."""
    stopped = await ask_to_end(world, container, reason, detail, caller, grace_seconds=grace_seconds)
    return await record_end(world, stopped, caller)


async def ask_to_end(
    world: World, container: Container, reason: StopReason, detail: str, caller: Caller, *,
    grace_seconds: int | None = None,
) -> Container:  # fmt: skip
    """Stop it with its reason written down before; when the engine does not, the reason is taken back."""
    usual = int(_limits(world, container, caller).stop_grace.total_seconds())
    grace = usual if grace_seconds is None else min(max(0, grace_seconds), max(usual, LONGEST_GRACE))
    meant = replace(container, reason=reason, reason_detail=detail)
    async with Undo() as undo:
        await world.ledger.write(lambda books: books.put_container(meant))
        undo.add("reason", lambda: world.ledger.write(lambda books: books.put_container(container)))
        await end(world, meant, grace)
        undo.keep()
    return meant


def _limits(world: World, container: Container, caller: Caller) -> Limits:
    return effective(world.settings().policy, caller.user, container.door, world.clock.now())


async def end(world: World, container: Container, grace_seconds: int) -> None:
    """Ask the engine. A paused container cannot hear SIGTERM: it goes on first."""
    if container.state is ContainerState.PAUSED:
        await world.engine.unpause(container.id)
    await world.engine.stop(container.id, grace_seconds)


async def record_end(world: World, container: Container, caller: Caller) -> Container:
    """Write down that it stopped, for the reason it bears; its GPU is held from then on."""
    seen = await world.engine.inspect(container.id)
    now = world.clock.now()
    at = (seen.finished_at if seen else None) or now
    return await world.ledger.write(
        lambda books: record_stop(
            books, container, at=at, now=now, reason=container.reason or StopReason.USER,
            detail=container.reason_detail, hold=_limits(world, container, caller).gpu_hold, actor=caller.actor,
        )
    )  # fmt: skip
