"""How often one user may ask for what costs the engine much: measuring disks, starting programs.

Who asks too fast waits a moment; who asks far too fast is refused. Others notice nothing of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ds01.domain.dockerpolicy.verdict import RefusedError

PATIENCE_SECONDS = 5.0
EXEC_BYTES = 4096
KEPT = 10_000
"""Users and kinds that are remembered before those at rest are forgotten."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rate:
    """``burst`` at once, then ``per_second``; ``what`` is said to who is refused."""

    what: str
    burst: float
    per_second: float


class Costly:
    """What is counted."""

    MEASURE = Rate(what="measuring disk space", burst=20, per_second=1)
    EXEC = Rate(what="commands in containers", burst=200, per_second=40)
    EXECS = Rate(what="commands in containers", burst=3000, per_second=5)
    """The same over a long time, in pieces of ``EXEC_BYTES``: the engine keeps each for some minutes after its end."""


class Pace:
    """One bucket per user and kind, filled as time goes by."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[tuple[int, Rate], tuple[float, float]] = {}

    async def take(self, uid: int, rate: Rate, amount: float = 1) -> None:
        """Wait for one's turn; ``amount`` is how many this is. Raises RefusedError (429) when that is too long."""
        now = self._clock()
        left, before = self._buckets.get((uid, rate), (rate.burst, now))
        left = min(rate.burst, left + (now - before) * rate.per_second) - amount
        wait = max(0.0, -left / rate.per_second)
        if wait > PATIENCE_SECONDS:
            raise RefusedError("pace", f"You ask for {rate.what} too often", "Ask less often.", status=429)
        self._forget(now)
        self._buckets[uid, rate] = (left, now)
        if wait:
            await self._sleep(wait)

    def _forget(self, now: float) -> None:
        if len(self._buckets) < KEPT:
            return
        full = {
            key: (left, at)
            for key, (left, at) in self._buckets.items()
            if left + (now - at) * key[1].per_second < key[1].burst
        }
        self._buckets = full
