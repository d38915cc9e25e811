"""Is it there, who am I, what do I use, what may I use."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from ds01.api.identity import Peer, TheCaller, TheWorld
from ds01.domain.people import Uid
from ds01.services import observe
from ds01.wire.status import PingView, StatusView

router = APIRouter(tags=["status"])


@router.get("/ping")
async def ping(world: TheWorld, peer: Peer) -> PingView:
    """Whether ds01d answers, what it is, and where the gateway listens. Needs no account."""
    user = await asyncio.to_thread(world.directory.by_uid, Uid(peer))
    return await observe.ping(world, user.login if user else str(peer))


@router.get("/status")
async def status(world: TheWorld, caller: TheCaller) -> StatusView:
    """The still picture of one user."""
    return await observe.status(world, caller)
