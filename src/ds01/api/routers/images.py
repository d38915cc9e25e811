"""A user's images, and what builds get from the server."""

from __future__ import annotations

from fastapi import APIRouter

from ds01.api.identity import TheCaller, TheWorld
from ds01.services import images
from ds01.wire.images import BuildSettings, ImageView, RemovedImage

router = APIRouter(prefix="/images", tags=["images"])


@router.get("")
async def list_images(world: TheWorld, caller: TheCaller) -> list[ImageView]:
    """The caller's images, newest first."""
    return list(await images.list_images(world, caller))


@router.get("/settings")
async def settings(world: TheWorld, caller: TheCaller, brief: bool = False) -> BuildSettings:
    """Bases, certificates and environment of every build; when `brief`, of the certificates their hash alone."""
    return await images.build_settings(world, brief=brief)


@router.get("/{reference:path}")
async def show(world: TheWorld, caller: TheCaller, reference: str) -> ImageView:
    """One image, by project or by reference."""
    return await images.show_image(world, caller, reference)


@router.delete("/{reference:path}")
async def remove(world: TheWorld, caller: TheCaller, reference: str) -> RemovedImage:
    """Remove a project's image, or one tag; Dockerfile and workspace stay."""
    return await images.remove_image(world, caller, reference)
