"""One user's turns: of all that is ready for her, one thing goes on in each turn of the loop.

Everybody is served in one thread. What a thousand connections of one user have ready at once would otherwise be worked
on at once, and everybody else afterwards. Bytes that nobody reads on their way take no turns (``relay``).
"""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """What of hers waits, in its order. Alone, nothing waits."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = False

    def wake(self, waiting: asyncio.Future[None]) -> None:
        """Let it go on: at once where nothing else of hers does in this turn of the loop."""
        if self._taken:
            self._waiting.append(waiting)
        elif not waiting.done():
            waiting.set_result(None)
            self._take()

    async def next(self) -> None:
        """Have a turn: this one where it is free, or one behind all that waits already."""
        if not self._taken:
            self._take()
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting

    def _take(self) -> None:
        self._taken = True
        asyncio.get_running_loop().call_soon(self._over)

    def _over(self) -> None:
        """The loop went round: the next one that still waits has its turn."""
        self._taken = False
        while self._waiting and not self._taken:
            self.wake(self._waiting.popleft())
