"""Looking into an image: by a container of it that has nothing mounted, never runs and goes at once.

The engine copies files out of containers only, and one that can be led astray first mounts all that a container has, at
paths that it resolves as root on the host: in a folder of its owner's she exchanges one for a link meanwhile, in a
container that never ran as well. So such an engine is asked about an image in a container without anything of hers.
Where ds01d is killed meanwhile the reconciler clears it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ds01.domain.container import Attachment, ContainerId, ContainerSpec, Door, Resources
from ds01.domain.errors import Ds01Error
from ds01.domain.labels import TRUSTED, Label
from ds01.domain.people import Uid
from ds01.services.astray import led_astray

if TYPE_CHECKING:
    from ds01.services.world import World

_ROOT = Uid(0)
_LEAST = 64 << 20
_log = logging.getLogger(__name__)


@asynccontextmanager
async def one_look(world: World, image: str) -> AsyncIterator[None]:
    """One at a time for each image: what thirty launches want to know is looked up once."""
    async with world.locks.hold(_ROOT, image, "a look into it", told="Its image is busy"):
        yield


@asynccontextmanager
async def looked_into(world: World, image: str, container: ContainerId) -> AsyncIterator[ContainerId]:
    """Whose files the engine may be asked for to know the image, within ``one_look``: ``container``, which was made of
    it and never ran, or one without mounts.
    """
    if not await led_astray(world):
        yield container
        return
    bare = await world.engine.create(_bare(image))
    try:
        yield bare
    finally:
        await _gone(world, bare)


async def _gone(world: World, bare: ContainerId) -> None:
    try:
        await world.engine.remove(bare, force=True)
    except Ds01Error as error:
        _log.warning("left to the reconciler", extra={"container": bare, "why": error.problem.reason})


def _bare(image: str) -> ContainerSpec:
    """Nobody's, and for the reconciler a launch that never ended. No label of the image says anything else."""
    said = {Label.OWNER: str(_ROOT), Label.NAME: image, Label.DOOR: Door.DS01.value}
    return ContainerSpec(
        name=f"ds01-look-{secrets.token_hex(8)}", image=image, command=("/",), user="65534:65534", hostname="look",
        working_dir="/", environment={}, labels={**dict.fromkeys(TRUSTED, ""), **said}, mounts=(),
        attachment=Attachment(), resources=Resources(
            cpus=1.0, memory_bytes=_LEAST, swap_bytes=0, shm_bytes=_LEAST, pids=1,
        ), cgroup_parent="", network="none", stop_grace_seconds=0,
    )  # fmt: skip
