"""Two verbs on one container never interleave: the second waits a while, then is told who it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ds01.domain.errors import BUSY, Ds01Error
from ds01.domain.people import Uid

PATIENCE_SECONDS = 30.0


class Locks:
    """One lock per name of a user's container, made when needed and forgotten when nobody wants it."""

    def __init__(self) -> None:
        self._locks: dict[tuple[Uid, str], asyncio.Lock] = {}
        self._wanted: dict[tuple[Uid, str], int] = {}
        self._doing: dict[tuple[Uid, str], str] = {}

    @asynccontextmanager
    async def hold(
        self, uid: Uid, name: str, verb: str, *, patience: float = PATIENCE_SECONDS, told: str = ""
    ) -> AsyncIterator[None]:  # fmt: skip
        """Be the only one who acts on this container. Raises Ds01Error (``container.busy``) after ``patience``.

        ``told`` is how it is said that something else of this user's is busy, which has this name among the locks.
        """
        key = (uid, name)
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._wanted[key] = self._wanted.get(key, 0) + 1
        try:
            await self._acquire(lock, key, patience, told or f"Container '{name}' is busy")
            self._doing[key] = verb
            try:
                yield
            finally:
                del self._doing[key]
                lock.release()
        finally:
            self._wanted[key] -= 1
            if not self._wanted[key]:
                del self._wanted[key], self._locks[key]

    def busy(self, uid: Uid, name: str) -> bool:
        """Whether somebody acts on this container now; the reconciler looks again later then."""
        return (uid, name) in self._doing

    async def _acquire(self, lock: asyncio.Lock, key: tuple[Uid, str], patience: float, told: str) -> None:
        try:
            async with asyncio.timeout(patience):
                await lock.acquire()
        except TimeoutError:
            verb = self._doing.get(key, "another command")
            raise Ds01Error(
                BUSY,
                f"{told}: {verb} is still going on.",
                reason=f"Waited {patience:.0f} s for it.",
                hint="ds01 list",
            ) from None
