"""What was consumed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse

from ds01.api.identity import Everybody, TheCaller, TheWorld
from ds01.services import consumption, events
from ds01.services import metrics as measured
from ds01.services.caller import require_admin
from ds01.wire.usage import ConsumptionView

router = APIRouter(tags=["usage"])


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(
    world: TheWorld, caller: TheCaller,
    people: Annotated[bool, Query(description="Also those that name users; for admins")] = False,
) -> PlainTextResponse:  # fmt: skip
    """What ds01d measures, in Prometheus' text format; no names of people unless an admin asks for them."""
    if people:
        require_admin(caller, "see what each user uses")
    text = await measured.exposition(world, people=people)
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


@router.get("/usage")
async def show(
    world: TheWorld,
    caller: TheCaller,
    everybody: Everybody,
    since: Annotated[str, Query(description="How long ago (30d) or a time with its zone")] = "30d",
    by: Annotated[str, Query(description="container, project, user or day")] = "container",
) -> ConsumptionView:
    """Hours of GPUs and processors, memory and energy; one's own, or everybody's for admins."""
    begin = events.since(since, world.clock.now())
    return await consumption.consumption(world, caller, since=begin, by=by, everybody=everybody)
