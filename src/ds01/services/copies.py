"""Files that are copied through the gateway, starts, and ends: what of it may go on beside what.

An engine that can be led astray (before 29.5.1) follows a path as root among all that is mounted in a container. So
nothing that could change what is there goes on beside a copy: no start, of the container or of one that has a volume in
common with it, and no other copy of these. Any engine keeps a container to itself while it copies; so a container that
DS01 ends has its copies ended first, and gets no new one meanwhile.

Who takes something keeps it in an ``ExitStack``, and closes that when it is over.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from ds01.domain.errors import BUSY, Ds01Error

PATIENCE_SECONDS = 5.0
"""How long a copy and a start wait for each other: who has the answer of one asks for the other at once."""


class Copies:
    """What goes on now: containers by their ids, volumes by the engine's names."""

    def __init__(self) -> None:
        self._copying: Counter[str] = Counter()
        self._starting: Counter[str] = Counter()
        self._ending: Counter[str] = Counter()
        self._over: dict[str, list[asyncio.Event]] = {}
        self._freed: dict[str, asyncio.Event] = {}

    async def copy(self, taken: ExitStack, container: str) -> asyncio.Event:
        """A copy of this container, beside others of it; what this gives is set when it must end. Raises Ds01Error
        (``container.busy``) while DS01 ends the container.
        """
        await self._wait((container,), self._ending)
        return taken.enter_context(self._told(container))

    async def alone(self, taken: ExitStack, *names: str) -> None:
        """All of these for one copy, or none yet. Raises Ds01Error (``container.busy``) where one stays busy."""
        await self._wait(names, self._copying, self._starting)
        taken.enter_context(self._counted(self._copying, names))

    async def start(self, taken: ExitStack, *names: str) -> None:
        """All of these for a start, beside other starts. Raises Ds01Error (``container.busy``) while one is copied."""
        await self._wait(names, self._copying)
        taken.enter_context(self._counted(self._starting, names))

    @contextmanager
    def ended(self, container: str) -> Iterator[None]:
        """While DS01 ends this container: copies of it are told to end, and none begins. The engine does what it is
        asked for once they have.
        """
        for over in self._over.get(container, ()):
            over.set()
        with self._counted(self._ending, (container,)):
            yield

    @contextmanager
    def _told(self, container: str) -> Iterator[asyncio.Event]:
        over = asyncio.Event()
        self._over.setdefault(container, []).append(over)
        try:
            yield over
        finally:
            self._over[container].remove(over)
            if not self._over[container]:
                del self._over[container]

    @contextmanager
    def _counted(self, counted: Counter[str], names: Iterable[str]) -> Iterator[None]:
        taken = frozenset(names)
        counted.update(taken)
        try:
            yield
        finally:
            for name in taken:
                counted[name] -= 1
                if not counted[name]:
                    del counted[name]
                    if freed := self._freed.pop(name, None):
                        freed.set()

    async def _wait(self, names: Collection[str], *others: Counter[str]) -> None:
        """Until none of these is among the others. Raises Ds01Error (``container.busy``)."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while busy := next((name for name in names for taken in others if taken[name]), ""):
                    await self._freed.setdefault(busy, asyncio.Event()).wait()
        except TimeoutError as error:
            raise self._busy(busy) from error

    def _busy(self, name: str) -> Ds01Error:
        doing = "are being copied" if self._copying[name] else "are in a container that is being started or ended"
        return Ds01Error(
            BUSY, f"Files of this container, or of a volume in it, {doing}.",
            reason="Docker cannot do both at the same time.", hint="Try again in a moment",
        )  # fmt: skip
