"""Whether an image has the shell that a container one works in begins with.

Without one the main process ends some moment after the start, and whether that is seen in time is chance. So the image
is looked into before its first start, once.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from ds01.domain.container import Container, ContainerId, Door
from ds01.domain.errors import ENGINE_ERROR, START_FAILED, Ds01Error
from ds01.ports.engine import Engine
from ds01.services.looking import looked_into, one_look

if TYPE_CHECKING:
    from ds01.services.world import World

SHELL = "/bin/sh"


class Shells:
    """The images that were looked into and have one. What has none is looked into again: the engine says the same of a
    file that is not there and of what failed this once.
    """

    def __init__(self) -> None:
        self._images: set[str] = set()

    async def check(self, world: World, container: Container) -> None:
        """Raises Ds01Error (``container.start``) when this container has none. What ran before had one."""
        ran = container.started_at is not None
        if container.door is not Door.DS01 or ran or container.image in self._images:
            return
        async with one_look(world, container.image):
            if container.image not in self._images:
                async with looked_into(world, container.image, container.id) as seen:
                    await _check(world.engine, container, seen)
                self._images.add(container.image)


async def _check(engine: Engine, container: Container, seen: ContainerId) -> None:
    try:
        async with aclosing(engine.read_files(seen, SHELL)) as pieces:
            await anext(pieces)
    except Ds01Error as error:
        if error.kind is not ENGINE_ERROR:
            raise
        raise Ds01Error(
            START_FAILED, f"The image {container.image_ref} has no shell, so nobody could work in the container.",
            reason=f"There is no {SHELL} in it.", hint="ds01 image list",
        ) from error  # fmt: skip
