"""Reading the ledger in a fair order: one read of a user at a time, and never all reading places for users.

Whoever asks for the longest list again and again, over a hundred connections, has one reading place at most; everybody
else waits for one read of hers and not for a hundred. Root, the gateway and ds01d itself speak for many: they read past
all users, from the place that is left to them.

What changes something reads apart from what only looks: it may hold a container that DS01 itself waits for, and that
must not last as long as a hundred lists.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from ds01.domain.events import EventType
from ds01.ports.ledger import READS_OF_USERS, Audit, Backup, Books, Ledger

T = TypeVar("T")


Asker = tuple[int | None, bool]
"""The uid, and whether she only looks."""


class Turns:
    """Whose turn it is to read. Whoever came first is first, with one read."""

    def __init__(self, places: int = READS_OF_USERS) -> None:
        self._places = asyncio.Semaphore(places)
        self._locks: dict[Asker, asyncio.Lock] = {}
        self._wanted: dict[Asker, int] = {}

    @asynccontextmanager
    async def turn(self, asker: Asker) -> AsyncIterator[None]:
        """Be the only read of this one, in one of the places for users."""
        lock = self._locks.setdefault(asker, asyncio.Lock())
        self._wanted[asker] = self._wanted.get(asker, 0) + 1
        try:
            async with lock, self._places:
                yield
        finally:
            self._wanted[asker] -= 1
            if not self._wanted[asker]:
                del self._wanted[asker], self._locks[asker]


class OneAtATime:
    """The ledger as one user has it: what reads much of it waits for her turn."""

    def __init__(self, ledger: Ledger, turns: Turns, asker: Asker) -> None:
        self._ledger, self._turns, self._asker = ledger, turns, asker

    async def read(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` over one consistent view, when it is her turn."""
        return await self._in_turn(lambda: self._ledger.read(work))

    async def verify(self) -> tuple[str, ...]:
        """What is wrong with the record itself, when it is her turn."""
        return await self._in_turn(self._ledger.verify)

    async def _in_turn(self, asked: Callable[[], Awaitable[T]]) -> T:
        """A read that has begun goes on in its thread though nobody waits for it any more: her turn lasts as long."""
        async with self._turns.turn(self._asker):
            reading = asyncio.ensure_future(asked())
            try:
                return await asyncio.shield(reading)
            finally:
                await asyncio.wait({reading})

    # what takes no reading place --------------------------------------------------------------------
    async def write(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` in one durable transaction."""
        return await self._ledger.write(work)

    def glance(self, work: Callable[[Books], T]) -> T:
        """``read`` at once and in place."""
        return self._ledger.glance(work)

    async def wait(self, after: int, timeout_seconds: float, types: Collection[EventType] = ()) -> int:
        """Wait for an event later than ``after``."""
        return await self._ledger.wait(after, timeout_seconds, types)

    def heard(self, after: int, types: Collection[EventType]) -> bool:
        """Whether one of these was recorded after that one."""
        return self._ledger.heard(after, types)

    async def audit(self) -> Audit:
        """Go through the whole chain of events."""
        return await self._ledger.audit()

    async def back_up(self, into: Path) -> Backup:
        """A copy of one moment in a new file."""
        return await self._ledger.back_up(into)

    async def close(self) -> None:
        """Let go of the ledger."""
        await self._ledger.close()
