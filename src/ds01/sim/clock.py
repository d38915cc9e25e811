"""A clock that a test moves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class SimClock:
    """Stands still until moved. Sleepers wake in order of their time."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds moved so far; jumps do not count."""
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        """Wait until the test moved the clock this far."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._monotonic + seconds, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move time, waking sleepers in order and letting each run."""
        end = self._monotonic + seconds
        while due := sorted((s for s in self._sleepers if s[0] <= end), key=lambda s: s[0]):
            self._move(due[0][0])
            self._sleepers.remove(due[0])
            if not due[0][1].done():
                due[0][1].set_result(None)
            for _ in range(10):
                await asyncio.sleep(0)
        self._move(end)

    def jump(self, delta: timedelta) -> None:
        """Step the wall clock without time passing, as a bad NTP server does."""
        self._now += delta

    def _move(self, to: float) -> None:
        self._now += timedelta(seconds=to - self._monotonic)
        self._monotonic = to
