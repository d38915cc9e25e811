"""Limits: all of one user's, and one with where it comes from."""

from __future__ import annotations

from fastapi import APIRouter

from ds01.api.identity import TheCaller, TheWorld
from ds01.services import limits
from ds01.wire.status import LimitsView, LimitView

router = APIRouter(prefix="/limits", tags=["limits"])


@router.get("")
async def show(world: TheWorld, caller: TheCaller) -> LimitsView:
    """Everything in force for the caller."""
    return limits.everything(world.settings(), caller.user, world.clock.now())


@router.get("/{key}")
async def explain(world: TheWorld, caller: TheCaller, key: str) -> LimitView:
    """One limit, its source, and what it overrules."""
    return limits.explain(world.settings(), caller.user, key, world.clock.now())
