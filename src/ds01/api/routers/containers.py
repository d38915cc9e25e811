"""Containers and their verbs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query

from ds01.api.identity import Everybody, TheActor, TheCaller, TheWorld
from ds01.services import observe
from ds01.services import pause as pausing
from ds01.services import remove as removing
from ds01.services import retire as retiring
from ds01.services import start as starting
from ds01.services import stop as stopping
from ds01.services.steps import Steps
from ds01.wire.containers import (
    ContainerView,
    RetirePreview,
    RetireRequest,
    RetireResult,
    StartResult,
    StatsView,
    StopRequest,
)
from ds01.wire.pages import FURTHEST

router = APIRouter(prefix="/containers", tags=["containers"])


@router.get("")
async def list_containers(
    world: TheWorld,
    caller: TheCaller,
    everybody: Everybody,
    removed: Annotated[bool, Query(description="Also those that are gone: the latest 1,000 of all")] = False,
    skip: Annotated[int, Query(ge=0, le=FURTHEST, description="With removed: so many of the latest are left out")] = 0,
) -> list[ContainerView]:
    """Containers by name."""
    return list(await observe.list_containers(world, caller, everybody=everybody, removed=removed, skip=skip))


@router.get("/{name}")
async def show(world: TheWorld, caller: TheCaller, name: str) -> ContainerView:
    """One container."""
    return await observe.show_container(world, caller, name)


@router.post("/{name}/start")
async def start(world: TheWorld, caller: TheActor, name: str) -> StartResult:
    """Start a stopped container; its GPUs are leased again."""
    started = await starting.start(world, caller, name, Steps(world.clock))
    view = await observe.view(world, caller, started.container)
    return StartResult(container=view, recreated=started.recreated, notes=started.notes)


@router.post("/{name}/stop")
async def stop(
    world: TheWorld, caller: TheActor, name: str, request: Annotated[StopRequest | None, Body()] = None
) -> ContainerView:
    """Stop a container with its grace; it stays, and its GPU is held for a while. That of ``docker run --rm`` goes."""
    grace = request.grace_seconds if request else None
    return await observe.view(world, caller, await stopping.stop(world, caller, name, grace))


@router.post("/{name}/pause")
async def pause(world: TheWorld, caller: TheActor, name: str) -> ContainerView:
    """Freeze a container."""
    return await observe.view(world, caller, await pausing.pause(world, caller, name))


@router.post("/{name}/unpause")
async def unpause(world: TheWorld, caller: TheActor, name: str) -> ContainerView:
    """Let a paused container go on."""
    return await observe.view(world, caller, await pausing.unpause(world, caller, name))


@router.delete("/{name}")
async def remove(
    world: TheWorld,
    caller: TheActor,
    name: str,
    force: Annotated[bool, Query(description="Also one that runs")] = False,
) -> ContainerView:
    """Remove a container; its image and its owner's files stay."""
    return await observe.view(world, caller, await removing.remove(world, caller, name, force=force))


@router.get("/{name}/retire")
async def preview(world: TheWorld, caller: TheCaller, name: str) -> RetirePreview:
    """What retiring would end and lose."""
    return await retiring.preview(world, caller, name)


@router.post("/{name}/retire")
async def retire(
    world: TheWorld, caller: TheActor, name: str, request: Annotated[RetireRequest | None, Body()] = None
) -> RetireResult:
    """Stop, rescue if asked, remove, free the GPU."""
    return await retiring.retire(world, caller, name, request or RetireRequest())


@router.get("/{name}/stats")
async def stats(world: TheWorld, caller: TheCaller, name: str) -> StatsView:
    """One reading of a running container."""
    return await observe.stats(world, caller, name)
