"""Events: what happened, and what happens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from ds01.api.identity import Everybody, TheCaller, TheWorld
from ds01.api.stream import relayed
from ds01.services import events
from ds01.wire.pages import ROWS
from ds01.wire.status import EventView

router = APIRouter(prefix="/events", tags=["events"])


@router.get("", response_model=list[EventView])
async def show(
    world: TheWorld,
    caller: TheCaller,
    everybody: Everybody,
    after: Annotated[int | None, Query(ge=0, description="The first ones with a higher number; 0 is all")] = None,
    before: Annotated[int | None, Query(ge=1, description="The latest ones with a lower number")] = None,
    since: Annotated[str, Query(description="How long ago (2h) or a time with its zone")] = "",
    type: Annotated[list[str] | None, Query(description="lease.granted, or all of lease")] = None,  # noqa: A002
    limit: Annotated[int, Query(ge=1, le=ROWS, description="So many: without after, the latest ones")] = 200,
    follow: Annotated[bool, Query(description="Go on as they happen (NDJSON)")] = False,
) -> list[EventView] | Response:
    """One's own events in order; everybody's for admins."""
    viewer = events.Viewer(uid=caller.actor, admin=caller.for_another or caller.admin)
    query = events.Query(
        uid=None if everybody else caller.uid,
        types=events.types(type or ()),
        after=after,
        before=before,
        since=events.since(since, world.clock.now()) if since else None,
        limit=limit,
    )
    if follow:
        return relayed(lambda: events.follow(world.ledger, viewer, query))
    return list(await events.read(world.ledger, viewer, query))
