"""What goes on now, and what must wait for it.

A copy and a start of one container exclude each other: the check that it stands still must hold for the copy; so do
those of containers that have a volume in common, where it matters (``handlers/still.py``). And what nothing but its
number limits is counted for each user: builds, which are containers too, loads, pulls, and streams of figures and of
events.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.limits import BUILDS, LOADS, PULLS

WATCHED = 100
"""Streams of figures (``stats``) one user may follow at once: each has the engine read cgroups every second."""

EVENTS = 32
"""Streams of events one user may follow at once: for each, everybody's events are read to find hers."""

PATIENCE_SECONDS = 5.0
"""How long a copy and a start wait for each other: who has the answer of one asks for the other at once."""

BUSY = "container.busy"
"""The rule by which who comes meanwhile is refused, here and by ds01d."""


class Moves:
    """What goes on right now with each container, and of each user."""

    def __init__(self) -> None:
        self._copying: Counter[str] = Counter()
        self._starting: Counter[str] = Counter()
        self._building: Counter[int] = Counter()
        self._loading: Counter[int] = Counter()
        self._pulling: Counter[int] = Counter()
        self._watching: Counter[int] = Counter()
        self._listening: Counter[int] = Counter()
        self._awaited: Counter[str] = Counter()
        self._ended: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def copying(self, container_id: str, *volumes: str) -> AsyncIterator[None]:
        """Raises RefusedError (409) when the container, or one with a volume of these, goes on being started."""
        async with self._among(self._copying, self._starting, (container_id, *volumes), "being started"):
            yield

    @asynccontextmanager
    async def starting(self, container_id: str, *volumes: str) -> AsyncIterator[None]:
        """Raises RefusedError (409) when files of it, or of one with a volume of these, go on being copied."""
        async with self._among(self._starting, self._copying, (container_id, *volumes), "having files copied"):
            yield

    @asynccontextmanager
    async def _among(
        self, mine: Counter[str], others: Counter[str], keys: tuple[str, ...], doing: str
    ) -> AsyncIterator[None]:  # fmt: skip
        """``keys`` are the container and the volumes, all of them or none at a time."""
        await self._free(others, keys, doing)
        mine.update(keys)
        try:
            yield
        finally:
            mine.subtract(keys)
            for key in set(keys):
                if not mine[key]:
                    del mine[key]
                    if ended := self._ended.pop(key, None):
                        ended.set()

    async def _free(self, others: Counter[str], keys: tuple[str, ...], doing: str) -> None:
        """Nobody else has any of these. Raises RefusedError (409)."""
        busy = ""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while busy := next((key for key in keys if others[key]), ""):
                    await self._ended.setdefault(busy, asyncio.Event()).wait()
        except TimeoutError as error:
            who = "The container" if busy == keys[0] else "A container that has a volume in common with it"
            raise RefusedError(BUSY, f"{who} is {doing}", "Try again in a moment.", status=409) from error

    @contextmanager
    def awaiting_removal(self, container_id: str) -> Iterator[None]:
        """A client waits until this container is removed."""
        self._awaited[container_id] += 1
        try:
            yield
        finally:
            self._awaited[container_id] -= 1
            if not self._awaited[container_id]:
                del self._awaited[container_id]

    def removal_awaited(self, container_id: str) -> bool:
        """Whether any client does."""
        return container_id in self._awaited

    @contextmanager
    def building(self, uid: int) -> Iterator[None]:
        """Raises RefusedError (429) when this user has too many builds already."""
        with _one_of(self._building, uid, BUILDS, "build.many", "builds"):
            yield

    @contextmanager
    def loading(self, uid: int) -> Iterator[None]:
        """Raises RefusedError (429) when this user has too many loads and imports already."""
        with _one_of(self._loading, uid, LOADS, "load.many", "loads and imports"):
            yield

    @contextmanager
    def pulling(self, uid: int) -> Iterator[None]:
        """Raises RefusedError (429) when this user has too many pulls and pushes already."""
        with _one_of(self._pulling, uid, PULLS, "pull.many", "pulls and pushes"):
            yield

    @contextmanager
    def watching(self, uid: int) -> Iterator[None]:
        """Raises RefusedError (429) when this user follows the figures of too many containers already."""
        with _one_of(self._watching, uid, WATCHED, "stats.many", "streams of figures"):
            yield

    @contextmanager
    def listening(self, uid: int) -> Iterator[None]:
        """Raises RefusedError (429) when this user follows too many streams of events already."""
        with _one_of(self._listening, uid, EVENTS, "events.many", "streams of events"):
            yield


@contextmanager
def _one_of(counted: Counter[int], uid: int, most: int, rule: str, what: str) -> Iterator[None]:
    if counted[uid] >= most:
        raise RefusedError(rule, f"You have {most} {what} going on", "Wait for one of them.", status=429)
    counted[uid] += 1
    try:
        yield
    finally:
        counted[uid] -= 1
        if not counted[uid]:
            del counted[uid]
