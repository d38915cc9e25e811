"""Telling the client what goes on: every step with its text and the time it took."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ds01.domain.terminal import Terminal
from ds01.ports.clock import Clock
from ds01.wire.queue import PlaceView

Say = Callable[[str, str, str, float], None]
"""A step's name, ``begin`` or ``done``, a text, seconds."""


class Abandoned(Exception):  # noqa: N818
    """The client hung up: what was begun is taken back."""


class Steps:
    """Reports steps to whoever listens, possibly nobody.

    A client that hangs up stops the work between two steps and never within one, so that no answer of the engine or
    the ledger is lost half way.
    """

    def __init__(
        self, clock: Clock, say: Say | None = None, *, gone: Callable[[], bool] = lambda: False,
        left: asyncio.Event | None = None, waits: Callable[[PlaceView], None] = lambda _: None,
        terminal: Terminal | None = None,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._say: Say = say or (lambda *_: None)
        self._gone = gone
        self.waits = waits
        """Called with her place in the queue, whenever it changed."""
        self.left = left or asyncio.Event()
        """Set when the client hung up."""
        self.terminal = terminal
        """Where a shell is to begin with the container."""

    @asynccontextmanager
    async def step(self, name: str, text: str) -> AsyncIterator[None]:
        """One step: begin now, done when the block ends well. Raises Abandoned when nobody waits any more."""
        self.check()
        begun = self._clock.monotonic()
        self._say(name, "begin", text, 0.0)
        yield
        self._say(name, "done", text, self._clock.monotonic() - begun)

    def check(self) -> None:
        """Raise Abandoned when the client hung up."""
        if self.left.is_set() or self._gone():
            raise Abandoned
