"""What ds01d does by itself: keep the ledger true to the engine and the GPUs, let leases expire, read the limits again.

Every loop survives what goes wrong in one round: it is logged once, not every round, and the next round tries again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from ds01.domain.errors import Ds01Error
from ds01.services.door.redeem import expire
from ds01.services.inventory import refresh
from ds01.services.reload import reload
from ds01.services.world import World

_log = logging.getLogger("ds01d")

POLICY_SECONDS = 2.0
INVENTORY_SECONDS = 10.0
TICKET_SECONDS = 30.0


class Loops:
    """All loops of one ds01d. Use as ``async with``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tasks: list[asyncio.Task[None]] = []

    async def first(self) -> None:
        """One round of everything before anybody is served."""
        await refresh(self._world)

    async def __aenter__(self) -> Self:
        world = self._world
        rounds: tuple[tuple[str, float, Callable[[], Awaitable[object]]], ...] = (
            ("limits", POLICY_SECONDS, lambda: reload(world.policy, world.ledger, world.clock)),
            ("gpus", INVENTORY_SECONDS, lambda: refresh(world)),
            ("tickets", TICKET_SECONDS, lambda: expire(world)),
        )
        self._tasks = [asyncio.create_task(self._every(*each)) for each in rounds]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _every(self, name: str, seconds: float, act: Callable[[], Awaitable[object]]) -> None:
        said = ""
        while True:
            await self._world.clock.sleep(seconds)
            try:
                await act()
                said = ""
            except Ds01Error as error:
                text = f"{error.problem.message} {error.problem.reason}"
                if text != said:
                    _log.warning("loop failed", extra={"loop": name, "why": text})
                said = text
