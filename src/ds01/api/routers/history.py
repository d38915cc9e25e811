"""What was leased, for those who try other limits on it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ds01.api.identity import TheCaller, TheWorld
from ds01.services import history
from ds01.wire.history import TraceJobView

router = APIRouter(tags=["admin"])


@router.get("/admin/history")
async def show_history(
    world: TheWorld, caller: TheCaller,
    since: Annotated[str, Query(description="How long ago (30d) or a time with its zone")] = "",
) -> list[TraceJobView]:  # fmt: skip
    """Leases as the lines of a trace, in order of submission; the last 30 days unless ``since`` says otherwise."""
    return list(await history.show_history(world, caller, since))
