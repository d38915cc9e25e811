"""So many containers of a class start at the same time, the others in the order they came.

Thirty people who launch within a minute would make the machine so busy that the first one waits as long as the last.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ds01.services.steps import Steps


@dataclass(slots=True)
class _Row:
    going: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Gate:
    """One row for each class that has begun, forgotten when nobody is in it."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    @asynccontextmanager
    async def through(self, which: str, most: int, steps: Steps) -> AsyncIterator[None]:
        """Wait until fewer than ``most`` are starting."""
        row = self._rows.setdefault(which, _Row())
        if row.going >= most or row.waiting:
            async with steps.step("class", f"{len(row.waiting) + 1} of the class start before you"):
                await self._wait(row)
        else:
            row.going += 1
        try:
            yield
        finally:
            row.going -= 1
            self._next(row, most)
            if not row.going and not row.waiting:
                self._rows.pop(which, None)

    async def _wait(self, row: _Row) -> None:
        """Whoever lets somebody through counts her; who goes away meanwhile passes it on."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        row.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                row.going -= 1
                self._next(row, row.going + 1)
            raise

    @staticmethod
    def _next(row: _Row, most: int) -> None:
        while row.waiting and row.going < most:
            turn = row.waiting.popleft()
            if not turn.done():
                row.going += 1
                turn.set_result(None)
