"""Launching: a plan, then a stream of steps."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter

from ds01.api.errors import unexpected
from ds01.api.identity import TheCaller, TheWorld
from ds01.api.stream import NDJSON, Client, Lines
from ds01.domain.errors import Ds01Error, Problem
from ds01.services import launch as launching
from ds01.services import observe
from ds01.services.caller import Caller
from ds01.services.steps import Abandoned, Steps
from ds01.services.world import World
from ds01.wire.errors import show
from ds01.wire.launches import LaunchEvent, LaunchPlan, LaunchRequest

router = APIRouter(prefix="/launches", tags=["launches"])
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"model": LaunchEvent, "description": f"One event a line ({NDJSON}); the last has `container` or `error`"}
}


@router.post("/plan")
async def plan(world: TheWorld, caller: TheCaller, request: LaunchRequest) -> LaunchPlan:
    """What a launch would do now. Changes nothing."""
    return await launching.plan(world, caller, request)


@router.post("", response_class=Lines, responses=_STREAM)
async def launch(world: TheWorld, caller: TheCaller, request: LaunchRequest) -> Lines:
    """Make the container run. A client that hangs up before the last line takes everything back."""

    async def work(client: Client) -> None:
        client.say(await _outcome(world, caller, request, client))

    return Lines(work)


async def _outcome(world: World, caller: Caller, request: LaunchRequest, client: Client) -> LaunchEvent:
    def say(step: str, state: str, text: str, seconds: float) -> None:
        client.say(LaunchEvent(step=step, state=state, text=text, seconds=round(seconds, 3)))

    steps = Steps(world.clock, say, gone=lambda: client.gone)
    work = asyncio.ensure_future(launching.launch(world, caller, request, steps))
    await asyncio.wait({work})
    match work.exception():
        case None:
            return LaunchEvent(step="ready", container=await observe.view(world, caller, work.result()))
        case Ds01Error() as error:
            return _failed(error.problem)
        case Abandoned():
            return LaunchEvent(step="abandoned")
        case error:
            return _failed(unexpected(error))


def _failed(problem: Problem) -> LaunchEvent:
    return LaunchEvent(step="failed", error=show(problem).error)
