"""Launching: a plan, then a stream of steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from fastapi import APIRouter

from ds01.api.errors import unexpected
from ds01.api.identity import TheCaller, TheWorld
from ds01.api.stream import NDJSON, Client, Lines
from ds01.domain.container import Container
from ds01.domain.errors import Ds01Error, Problem
from ds01.domain.terminal import Terminal, terminal
from ds01.services import launch as launching
from ds01.services import observe
from ds01.services.caller import Caller
from ds01.services.settled import settled
from ds01.services.steps import Abandoned, Steps
from ds01.services.world import World
from ds01.wire.errors import show
from ds01.wire.launches import LaunchEvent, LaunchPlan, LaunchRequest
from ds01.wire.queue import PlaceView

router = APIRouter(prefix="/launches", tags=["launches"])
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "model": LaunchEvent,
        "description": f"One event a line ({NDJSON}); the last has `container`, `plan` or `error`",
    }
}


@router.post("/plan")
async def plan(world: TheWorld, caller: TheCaller, request: LaunchRequest) -> LaunchPlan:
    """What a launch would do now. Changes nothing."""
    return await launching.plan(world, caller, request)


@router.post("", response_class=Lines, responses=STREAM)
async def launch(world: TheWorld, caller: TheCaller, request: LaunchRequest) -> Lines:
    """Make the container run, after waiting for GPUs if that was asked for.

    A client that hangs up before the last line takes everything back, and its place in the queue unless it stays.
    """

    ask = request.terminal
    asked = terminal(ask.path, ask.environment, ask.simulated) if ask is not None else None

    async def work(client: Client) -> None:
        act = partial(launching.launch, world, caller, request)
        client.say(await outcome(world, caller, act, client, asked))

    return Lines(work)


async def outcome(
    world: World, caller: Caller, act: Callable[[Steps], Awaitable[Container]], client: Client,
    on: Terminal | None = None,
) -> LaunchEvent:  # fmt: skip
    """Do it, with the container's first shell ``on`` this terminal; say every step, and return the last line."""

    def say(step: str, state: str, text: str, seconds: float) -> None:
        client.say(LaunchEvent(step=step, state=state, text=text, seconds=round(seconds, 3)))

    def waits(place: PlaceView) -> None:
        client.say(LaunchEvent(step="queue", state="begin", text=place.text, place=place))

    begun = world.clock.now()
    work = await settled(act(Steps(world.clock, say, left=client.left, waits=waits, terminal=on)))
    match work.exception():
        case None:
            made = work.result()
            fresh = made.started_at is not None and made.started_at >= begun
            shown = await observe.view(world, caller, made, fresh=fresh)
            return LaunchEvent(step="ready", container=shown, simulated=world.devices.simulated and bool(made.lease))
        case launching.MoreToDo(plan=planned):
            return LaunchEvent(step="plan", plan=planned)
        case Ds01Error() as error:
            return _failed(error.problem)
        case Abandoned():
            return LaunchEvent(step="abandoned")
        case error:
            return _failed(unexpected(error))


def _failed(problem: Problem) -> LaunchEvent:
    return LaunchEvent(step="failed", error=show(problem).error)
