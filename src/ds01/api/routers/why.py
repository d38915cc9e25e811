"""Why a container is as it is, also one that is gone."""

from __future__ import annotations

from fastapi import APIRouter

from ds01.api.identity import TheCaller, TheWorld
from ds01.services.jobs import story
from ds01.wire.containers import WhyView

router = APIRouter(prefix="/containers", tags=["containers"])


@router.get("/{name}/why")
async def why(world: TheWorld, caller: TheCaller, name: str) -> WhyView:
    """Its story, with the reason of every stop and what to do next; its place in the queue while it waits."""
    return await story.why(world, caller, name)
