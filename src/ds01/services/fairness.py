"""The ledger in a fair order: one read and one write of a user at a time, and never all reading places for users.

Whoever asks for the longest list again and again, over a hundred connections, has one reading place at most; everybody
else waits for one read of hers and not for a hundred. Root, the gateway and ds01d itself speak for many: they read past
all users, from the place that is left to them.

What changes something reads apart from what only looks: it may hold a container that DS01 itself waits for, and that
must not last as long as a hundred lists. There is one writing thread: of her writes one is in its queue, since a
thousand tasks are one write, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from ds01.domain.errors import TOO_MANY, Ds01Error
from ds01.domain.events import EventType
from ds01.ports.ledger import READS_OF_USERS, Audit, Backup, Books, Ledger

T = TypeVar("T")

MOST_IN_HAND = 100
"""More than anybody starts with one command, and few enough for all to hang."""


class Lane(StrEnum):
    """What a user waits for with her own alone."""

    LOOKS = "looks"
    CHANGES = "changes"
    WRITES = "writes"
    NAMES = "names"


class Fairness:
    """Whose turn it is. Whoever came first is first, with one read or write."""

    def __init__(self, places: int = READS_OF_USERS) -> None:
        self._places = asyncio.Semaphore(places)
        self._locks: dict[tuple[int | None, Lane], asyncio.Lock] = {}
        self._wanted: dict[tuple[int | None, Lane], int] = {}

    @asynccontextmanager
    async def reading(self, uid: int | None, lane: Lane) -> AsyncIterator[None]:
        """Be the only read of this user and lane, in one of the places for users."""
        async with self.alone(uid, lane), self._places:
            yield

    @asynccontextmanager
    async def alone(self, uid: int | None, lane: Lane) -> AsyncIterator[None]:
        """Be the only one of this user and lane."""
        key = uid, lane
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._wanted[key] = self._wanted.get(key, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._wanted[key] -= 1
            if not self._wanted[key]:
                del self._wanted[key], self._locks[key]


class InHand:
    """How much is done for each user at once. What hangs because the engine does not answer has an end like this."""

    def __init__(self, most: int = MOST_IN_HAND) -> None:
        self._most = most
        self._number: dict[int, int] = {}

    def number(self, uid: int) -> int:
        """How much it is now."""
        return self._number.get(uid, 0)

    @contextmanager
    def one_more(self, uid: int) -> Iterator[None]:
        """While this lasts it is one more. Raises Ds01Error (``requests.many``) when there are too many."""
        number = self.number(uid)
        if number >= self._most:
            raise Ds01Error(
                TOO_MANY, "You ask for too much at once.",
                reason=f"DS01 has {self._most} requests of yours in hand that did not end yet.",
                hint="Let some of them end, then ask again",
            )  # fmt: skip
        self._number[uid] = number + 1
        try:
            yield
        finally:
            self._number[uid] -= 1
            if not self._number[uid]:
                del self._number[uid]


class OneAtATime:
    """The ledger as one user has it. ``lane`` says whether what she asked for changes something."""

    def __init__(self, ledger: Ledger, fairness: Fairness, uid: int | None, lane: Lane) -> None:
        self._ledger, self._fairness, self._uid, self._lane = ledger, fairness, uid, lane

    async def read(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` over one consistent view, when it is her turn."""
        async with self._fairness.reading(self._uid, self._lane):
            return await _to_its_end(self._ledger.read(work))

    async def verify(self) -> tuple[str, ...]:
        """What is wrong with the record itself, when it is her turn."""
        async with self._fairness.reading(self._uid, self._lane):
            return await _to_its_end(self._ledger.verify())

    async def write(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` in one durable transaction, when it is her turn."""
        async with self._fairness.alone(self._uid, Lane.WRITES):
            return await _to_its_end(self._ledger.write(work))

    # what keeps nobody waiting ----------------------------------------------------------------------
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


async def _to_its_end(asked: Coroutine[Any, Any, T]) -> T:
    """What has begun goes on in its thread though nobody waits for it any more: her turn lasts as long."""
    going = asyncio.ensure_future(asked)
    try:
        return await asyncio.shield(going)
    finally:
        await asyncio.wait({going})
