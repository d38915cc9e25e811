"""Is all well with this server?"""

from __future__ import annotations

from fastapi import APIRouter

from ds01.api.identity import TheCaller, TheWorld
from ds01.services import doctor
from ds01.wire.status import DoctorView

router = APIRouter(prefix="/doctor", tags=["doctor"])


@router.get("")
async def examine(world: TheWorld, caller: TheCaller) -> DoctorView:
    """Every check; names of people and of their containers for admins only."""
    return await doctor.examine(world, admin=caller.admin)
