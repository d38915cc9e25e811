"""What the gateway asks. Only its account and root may."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from ds01.api.identity import TheWorld, gateway_only, in_hand
from ds01.api.stream import Lines, relayed
from ds01.services import build_cache
from ds01.services.door import (
    audit,
    building,
    change,
    copying,
    create,
    going_on,
    gone,
    holdings,
    known,
    redeem,
    registry,
    removing,
    start,
    writing,
)
from ds01.services.steps import Steps
from ds01.wire.door import (
    DoorAmounts,
    DoorAmountsGrant,
    DoorAudit,
    DoorBuild,
    DoorBuildGrant,
    DoorCache,
    DoorCommit,
    DoorContainer,
    DoorCreate,
    DoorEngine,
    DoorGone,
    DoorGrant,
    DoorHeld,
    DoorImage,
    DoorMade,
    DoorRemoval,
    DoorRemovalPlan,
    DoorRemoved,
    DoorRename,
    DoorRoom,
    DoorStart,
    DoorStarting,
    DoorTicket,
    DoorUser,
    DoorWrite,
    DoorWriteGrant,
    DoorWritten,
)
from ds01.wire.holdings import DoorCopy, DoorDropped, DoorNetwork, DoorNetworkAsk, DoorVolume, DoorVolumeAsk

router = APIRouter(prefix="/door", tags=["door"], dependencies=[Depends(gateway_only)])

ASKED = [Depends(in_hand)]
"""Of what is asked for a user and may wait for the engine, before something is done."""


@router.get("/users/{uid}")
async def user(world: TheWorld, uid: int) -> DoorUser:
    """Who a uid is."""
    return await known.user(world, uid)


@router.get("/registry", response_class=Lines)
async def follow(world: TheWorld) -> Lines:
    """Who owns what: everything, then ``ready``, then changes (NDJSON of DoorUpdate)."""
    return relayed(lambda: registry.follow(world))


@router.post("/copies", response_class=Lines)
async def copies(world: TheWorld, ask: DoorCopy) -> Lines:
    """Files of a container are copied for as long as this is read: one line, DoorCopying."""
    return relayed(lambda: copying.copying(world, ask))


@router.get("/containers/{ref}", dependencies=ASKED)
async def container(
    world: TheWorld, ref: str, uid: Annotated[int | None, Query(description="Whose; anybody's without")] = None
) -> DoorContainer:
    """The container a user calls so."""
    return await known.container(world, ref, uid)


@router.get("/images/{image_id}")
async def image(world: TheWorld, image_id: str) -> DoorImage:
    """Whose an image is."""
    return await known.image(world, image_id)


@router.post("/creates", dependencies=ASKED)
async def grant(world: TheWorld, request: Request, ask: DoorCreate) -> DoorGrant:
    """Reserve what a create needs."""
    left = asyncio.Event()
    leaving = asyncio.create_task(_leaving(request, left))
    try:
        return await create.grant(world, ask, Steps(world.clock, left=left))
    finally:
        leaving.cancel()


async def _leaving(request: Request, left: asyncio.Event) -> None:
    """Notice when the gateway hangs up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    left.set()


@router.post("/creates/commit")
async def commit(world: TheWorld, ask: DoorCommit) -> DoorMade:
    """The engine made it."""
    return await redeem.commit(world, ask)


@router.post("/creates/abort", status_code=204)
async def abort(world: TheWorld, ask: DoorTicket) -> None:
    """The engine did not make it."""
    await redeem.abort(world, ask)


@router.post("/starts", dependencies=ASKED)
async def starting(world: TheWorld, ask: DoorStart) -> DoorStarting:
    """May it start?"""
    return await start.start(world, ask)


@router.post("/starts/commit")
async def started(world: TheWorld, ask: DoorTicket) -> DoorContainer:
    """The engine started it."""
    return await start.started(world, ask)


@router.post("/starts/abort", status_code=204)
async def not_started(world: TheWorld, ask: DoorTicket) -> None:
    """The engine did not start it."""
    await start.not_started(world, ask)


@router.post("/renames", dependencies=ASKED)
async def renaming(world: TheWorld, ask: DoorRename) -> DoorContainer:
    """A container gets another name."""
    return await change.rename(world, ask)


@router.post("/amounts", dependencies=ASKED)
async def amounts(world: TheWorld, ask: DoorAmounts) -> DoorAmountsGrant:
    """How much of what is asked for may a container use?"""
    return await change.amounts(world, ask)


@router.post("/gone", dependencies=ASKED, status_code=204)
async def going(world: TheWorld, ask: DoorGone) -> None:
    """An owner stops her container, or has removed it."""
    await gone.gone(world, ask)


@router.get("/engine")
async def engine(world: TheWorld) -> DoorEngine:
    """What the engine can do for users."""
    return await building.engine(world)


@router.post("/builds", dependencies=ASKED)
async def build(world: TheWorld, ask: DoorBuild) -> DoorBuildGrant:
    """May these tags be written, and what may the build use?"""
    return await building.grant(world, ask)


@router.post("/builds/commit")
async def built(world: TheWorld, ask: DoorTicket) -> list[DoorImage]:
    """The build is over, well or not."""
    return list(await building.over(world, ask))


@router.get("/users/{uid}/room", dependencies=ASKED)
async def room(
    world: TheWorld, uid: int, image: Annotated[bool, Query(description="Whether it is an image that comes")] = False
) -> DoorRoom:
    """How much more a user's images and containers may take."""
    return await writing.room(world, uid, image=image)


@router.get("/users/{uid}/cache", dependencies=ASKED)
async def cache(world: TheWorld, uid: int) -> DoorCache:
    """What is the user's of BuildKit's cache."""
    return await build_cache.hers(world, uid)


@router.post("/users/{uid}/cache/dropped", dependencies=ASKED)
async def drop_cache(world: TheWorld, uid: int) -> DoorCache:
    """The user has all of BuildKit's cache removed that she may have made: what of it goes."""
    return await build_cache.give_up(world, uid)


@router.post("/writes", dependencies=ASKED)
async def write(world: TheWorld, ask: DoorWrite) -> DoorWriteGrant:
    """May these image names be written?"""
    return await writing.grant(world, ask)


@router.post("/writes/commit")
async def written(world: TheWorld, ask: DoorWritten) -> list[DoorImage]:
    """The writing is over, well or not."""
    return list(await writing.over(world, ask))


@router.post("/held", status_code=204)
async def hold(world: TheWorld, held: list[DoorHeld]) -> None:
    """These writings of image names go on: builds, pulls and the like that the gateway has in its hands."""
    await going_on.go_on(world, held)


@router.post("/removals", dependencies=ASKED)
async def removal(world: TheWorld, ask: DoorRemoval) -> DoorRemovalPlan:
    """What of an image may be removed for this user?"""
    return await removing.plan(world, ask)


@router.post("/removals/commit")
async def removed(world: TheWorld, ask: DoorRemoved) -> list[DoorImage]:
    """The engine has removed what it could."""
    return list(await removing.removed(world, ask))


@router.post("/volumes", dependencies=ASKED)
async def make_volume(world: TheWorld, ask: DoorVolumeAsk) -> DoorVolume:
    """A user wants this volume."""
    return await holdings.make_volume(world, ask)


@router.post("/networks", dependencies=ASKED)
async def make_network(world: TheWorld, ask: DoorNetworkAsk) -> DoorNetwork:
    """A user makes a network."""
    return await holdings.make_network(world, ask)


@router.post("/users/{uid}/network", dependencies=ASKED)
async def own_network(world: TheWorld, uid: int) -> DoorNetwork:
    """The user's own network."""
    return await holdings.own_network(world, uid)


@router.post("/dropped", status_code=204)
async def dropped(world: TheWorld, ask: DoorDropped) -> None:
    """The engine has removed volumes or networks."""
    await holdings.dropped(world, ask)


@router.post("/audit", status_code=204)
async def record(world: TheWorld, entries: list[DoorAudit]) -> None:
    """Decisions of the gateway."""
    await audit.record(world, entries)
