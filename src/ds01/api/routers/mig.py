"""What admins do with GPUs: take them out of service and back, divide them."""

from __future__ import annotations

from fastapi import APIRouter

from ds01.api.identity import TheCaller, TheWorld
from ds01.services import drain as draining
from ds01.services import mig
from ds01.wire.mig import DrainRequest, DrainView, MigRequest, MigView

router = APIRouter(tags=["admin"])


@router.post("/admin/drain")
async def drain(world: TheWorld, caller: TheCaller, request: DrainRequest) -> DrainView:
    """Keep new work away from a GPU or a slot; what runs there goes on."""
    return await draining.drain(world, caller, request)


@router.post("/admin/undrain")
async def undrain(world: TheWorld, caller: TheCaller, request: DrainRequest) -> DrainView:
    """Let new work come again."""
    return await draining.undrain(world, caller, request)


@router.get("/admin/mig")
async def show_mig(world: TheWorld, caller: TheCaller, plan: str = "") -> MigView:
    """How GPUs are divided; with a plan what it would change, and who is in the way."""
    return await mig.show(world, caller, plan)


@router.post("/admin/mig")
async def divide(world: TheWorld, caller: TheCaller, request: MigRequest) -> MigView:
    """Divide GPUs that nobody uses, and keep the plan for after the next start of the machine."""
    return await mig.apply(world, caller, request.plan)
