"""Whether an image has the shell that a container one works in begins with.

Without one the main process ends some moment after the start, and whether that is seen in time is chance. So the image
is looked into before its first start, once.
"""

from __future__ import annotations

from contextlib import aclosing

from ds01.domain.container import Container, Door
from ds01.domain.errors import ENGINE_ERROR, START_FAILED, Ds01Error
from ds01.ports.engine import Engine

SHELL = "/bin/sh"


class Shells:
    """The images that were looked into and have one."""

    def __init__(self) -> None:
        self._images: set[str] = set()

    async def check(self, engine: Engine, container: Container) -> None:
        """Raises Ds01Error (``container.start``) when this container, which was made and not started, has none."""
        if container.door is not Door.DS01 or container.image in self._images:
            return
        try:
            async with aclosing(engine.read_files(container.id, SHELL)) as pieces:
                await anext(pieces)
        except Ds01Error as error:
            if error.kind is not ENGINE_ERROR:
                raise
            raise Ds01Error(
                START_FAILED, f"The image {container.image_ref} has no shell, so nobody could work in the container.",
                reason=f"There is no {SHELL} in it.", hint="ds01 image list",
            ) from error  # fmt: skip
        self._images.add(container.image)
