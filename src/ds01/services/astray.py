"""Engines that can be led astray while they copy files: before 29.5.1 they follow a path as root in what may change."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ds01.domain.engine_versions import COPY_FIXED, numbers

if TYPE_CHECKING:
    from ds01.services.world import World


async def led_astray(world: World) -> bool:
    """Whether this engine can be. One whose version cannot be read can."""
    return numbers(await world.engine.ping()) < COPY_FIXED


async def starting(world: World, taken: ExitStack, *names: str) -> None:
    """A container, or volumes, of what is about to start, until ``taken`` is closed. Other engines need no more than
    their own lock. Raises Ds01Error (``container.busy``) while files there are copied.
    """
    if names and await led_astray(world):
        await world.copies.start(taken, *names)
