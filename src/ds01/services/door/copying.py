"""Files that the gateway copies: for as long as it listens, ds01d starts nothing that could lead the engine astray."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from ds01.services.world import World
from ds01.wire.holdings import DoorCopy, DoorCopying


async def copying(world: World, ask: DoorCopy) -> AsyncGenerator[DoorCopying]:
    """One word; what is ``free`` stays so until nobody listens any more."""
    with world.copies.copying((ask.id, *ask.volumes)) as free:
        yield DoorCopying(free=free)
        if free:
            await asyncio.Event().wait()
