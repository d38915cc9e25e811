"""A container's life: more time, leave to idle, taking a stop back; notices and how one is told; exemptions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from ds01.api.identity import TheActor, TheCaller, TheWorld
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.services import exempt as exempting
from ds01.services import notices, observe, prolong
from ds01.services.moments import zoned
from ds01.services.steps import Steps
from ds01.services.undo_stop import undo_stop
from ds01.wire.containers import StartResult
from ds01.wire.lifecycle import (
    ExemptionView,
    ExemptRequest,
    ExtendRequest,
    ExtendView,
    KeepRequest,
    KeepView,
    NoticeView,
    PreferencesView,
    WishesRequest,
)

router = APIRouter(tags=["lifecycle"])


@router.post("/containers/{name}/extend")
async def extend(world: TheWorld, caller: TheActor, name: str, request: ExtendRequest) -> ExtendView:
    """Add to the time a container may run, within the policy."""
    return await prolong.extend(world, caller, name, request.seconds)


@router.post("/containers/{name}/keep")
async def keep(world: TheWorld, caller: TheActor, name: str, request: KeepRequest) -> KeepView:
    """Let a container idle until a time, within the policy."""
    return await prolong.keep(world, caller, name, _moment(request.until))


@router.post("/containers/{name}/undo")
async def undo(world: TheWorld, caller: TheActor, name: str) -> StartResult:
    """Start a container again that DS01 stopped for idling or for its runtime."""
    started = await undo_stop(world, caller, name, Steps(world.clock))
    view = await observe.view(world, caller, started.container)
    return StartResult(container=view, recreated=started.recreated, notes=started.notes)


@router.get("/notices")
async def show(
    world: TheWorld,
    caller: TheCaller,
    past: Annotated[bool, Query(description="Also those that hold no more")] = False,
) -> list[NoticeView]:
    """One's notices; nothing is marked as read."""
    return list(await notices.mine(world, caller, past=past))


@router.post("/notices/unseen")
async def unseen(world: TheWorld, caller: TheCaller) -> list[NoticeView]:
    """Those one has not met yet; being told them here counts as delivery."""
    return list(await notices.unseen(world, caller))


@router.get("/notices/wishes")
async def wishes(world: TheWorld, caller: TheCaller) -> PreferencesView:
    """How one is told."""
    return await notices.wishes(world, caller)


@router.post("/notices/wishes")
async def wish(world: TheWorld, caller: TheCaller, request: WishesRequest) -> PreferencesView:
    """Change how one is told."""
    return await notices.wish(world, caller, request)


@router.get("/exemptions")
async def exemptions(world: TheWorld, caller: TheCaller) -> list[ExemptionView]:
    """Exemptions by word that are in force; admins only."""
    return list(await exempting.exemptions(world, caller))


@router.post("/exemptions")
async def exempt(world: TheWorld, caller: TheCaller, request: ExemptRequest) -> ExemptionView:
    """Lift limits of a user until a time; admins only."""
    return await exempting.exempt(world, caller, request)


@router.delete("/exemptions/{exemption}")
async def end(world: TheWorld, caller: TheCaller, exemption: str) -> ExemptionView:
    """End an exemption before its time; admins only."""
    return await exempting.end(world, caller, exemption)


def _moment(text: str) -> datetime:
    moment = zoned(text)
    if moment is None:
        raise Ds01Error(BAD_REQUEST, f"'{text[:40]}' is no time with its zone.", hint="2026-12-20T18:00+01:00")
    return moment
