"""GPUs and leases."""

from __future__ import annotations

from fastapi import APIRouter

from ds01.api.identity import Everybody, TheCaller, TheWorld
from ds01.services import gpus
from ds01.wire.gpus import GpusView, LeaseView

router = APIRouter(tags=["gpus"])


@router.get("/gpus")
async def show(world: TheWorld, caller: TheCaller) -> GpusView:
    """All slots of the server."""
    return await gpus.show_gpus(world, caller)


@router.get("/leases")
async def leases(world: TheWorld, caller: TheCaller, everybody: Everybody) -> list[LeaseView]:
    """Open leases."""
    return list(await gpus.show_leases(world, caller, everybody=everybody))
