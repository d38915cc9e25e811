"""What only admins do: the way past the gateway, what it would refuse, the fence around users' networks, the month."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ds01.api.identity import TheCaller, TheWorld
from ds01.services import announce as announcing
from ds01.services import audit, backup, events, fence, foreign, glass
from ds01.services import report as monthly
from ds01.services.door import report
from ds01.wire.admin import (
    AnnouncementView,
    AnnounceRequest,
    AuditView,
    BackupRequest,
    BackupView,
    DoorReportView,
    FenceView,
    GlassRequest,
    GlassView,
)
from ds01.wire.gpus import ForeignView
from ds01.wire.report import ReportView

router = APIRouter(prefix="/admin", tags=["admin"])


@router.post("/glass")
async def open_glass(world: TheWorld, caller: TheCaller, ask: GlassRequest) -> GlassView:
    """Open the way past the gateway for oneself, for a while."""
    return await glass.open_glass(world, caller, ask)


@router.delete("/glass")
async def close_glass(world: TheWorld, caller: TheCaller) -> GlassView:
    """Close it before its time."""
    return await glass.close_glass(world, caller)


@router.get("/door")
async def door_report(
    world: TheWorld, caller: TheCaller,
    since: Annotated[str, Query(description="How long ago (2h) or a time with its zone")] = "",
) -> DoorReportView:  # fmt: skip
    """What the gateway would have refused while it only watched."""
    return await report.report(world, caller, events.since(since, world.clock.now()) if since else None)


@router.get("/fence")
async def show_fence(world: TheWorld, caller: TheCaller) -> FenceView:
    """Whether the fence stands."""
    return await fence.show(world, caller)


@router.delete("/fence")
async def take_fence_down(world: TheWorld, caller: TheCaller) -> FenceView:
    """Take it out of the firewall, and leave it out."""
    return await fence.leave_down(world, caller)


@router.post("/fence")
async def put_fence_up(world: TheWorld, caller: TheCaller) -> FenceView:
    """Put it up again, and keep it up."""
    return await fence.keep_up(world, caller)


@router.get("/announcement")
async def show_announcement(world: TheWorld, caller: TheCaller) -> AnnouncementView:
    """What everybody is told now."""
    return await announcing.show(world, caller)


@router.post("/announcement")
async def announce(world: TheWorld, caller: TheCaller, request: AnnounceRequest) -> AnnouncementView:
    """Tell everybody something until a time, in place of what stood."""
    return await announcing.announce(world, caller, request)


@router.delete("/announcement")
async def clear_announcement(world: TheWorld, caller: TheCaller) -> AnnouncementView:
    """End it before its time; the answer is what stood."""
    return await announcing.clear(world, caller)


@router.post("/backup")
async def back_up(world: TheWorld, caller: TheCaller, request: BackupRequest) -> BackupView:
    """Copy the ledger to a new file, whole and looked through, while everything goes on."""
    return await backup.back_up(world, caller, request)


@router.get("/events/verify")
async def verify_events(world: TheWorld, caller: TheCaller) -> AuditView:
    """Whether every event there ever was is as DS01 wrote it. It takes a second for each 20,000."""
    return await audit.verify(world, caller)


@router.get("/report")
async def month_report(
    world: TheWorld, caller: TheCaller,
    month: Annotated[str, Query(description="2026-11; the present one when empty")] = "",
) -> ReportView:  # fmt: skip
    """What everybody used in a month, what nobody used, who waited, who was told what."""
    return await monthly.report(world, caller, month)


@router.get("/foreign")
async def foreign_processes(world: TheWorld, caller: TheCaller) -> list[ForeignView]:
    """Processes on GPUs that are not in the container the GPU is leased to. They are told, never ended."""
    return list(await foreign.show(world, caller))
