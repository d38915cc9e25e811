"""How much of long answers is kept for one user: those that are read whole of the engine, and those she has not read.

A short answer is in the kernel's hands before anybody asks. A long one stays here until its client has taken it. So of
these everybody has a bounded number of bytes, over all her connections: who asks for more waits until she has read
some, and is refused when she does not. Others notice nothing of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from ds01.domain.dockerpolicy.verdict import RefusedError

SHORT_ANSWER_BYTES = 64 * 1024
"""An answer that is not longer is not counted."""

OWN_BYTES, ALL_BYTES = 64 * 1024 * 1024, 512 * 1024 * 1024
"""What is kept of one user's before the next long answer waits, and of all users'; who has nothing here never waits."""

AT_ONCE = 4
"""Long answers of one user that are read whole at a time."""

TURN_SECONDS = 90.0
"""How long one waits for one's turn: longer than an answer is kept of which nothing is taken."""


class Unread:
    """What is kept of everybody's long answers."""

    def __init__(self) -> None:
        self._own: dict[int, Own] = {}
        self.bytes = 0
        self.room = asyncio.Event()

    def of(self, uid: int) -> Own:
        """One user's."""
        return self._own.setdefault(uid, Own(self))


class Own:
    """One user's long answers."""

    def __init__(self, every: Unread) -> None:
        self._every = every
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._bytes = 0

    @property
    def busy(self) -> bool:
        """Whether the next long answer has to wait."""
        return self._full or self._turns.locked()

    @property
    def _full(self) -> bool:
        return self._bytes >= OWN_BYTES or (self._bytes > 0 and self._every.bytes >= ALL_BYTES)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """While a long answer is read whole. Raises RefusedError (429) when its turn does not come."""
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turn()
        except TimeoutError as error:
            raise _unread() from error
        try:
            yield
        finally:
            self._turns.release()

    async def _turn(self) -> None:
        await self._turns.acquire()
        try:
            while self._full:
                self._every.room.clear()
                await self._every.room.wait()
        except BaseException:
            self._turns.release()
            raise

    @contextmanager
    def keeping(self, size: int) -> Iterator[None]:
        """While so much is there that its client has not taken."""
        self._bytes += size
        self._every.bytes += size
        try:
            yield
        finally:
            self._bytes -= size
            self._every.bytes -= size
            self._every.room.set()


def _unread() -> RefusedError:
    what, advice = "You ask for long answers and do not read them", "Read those you asked for, or close them."
    return RefusedError("answers.unread", what, advice, status=429)
