"""Answers that go on: one JSON value a line, until the work is done or the client hangs up.

The work runs in a task of its own, so that what it takes back when the client goes away runs to its end even though
nobody listens any more.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ds01.wire.codec import plain

_log = logging.getLogger(__name__)

NDJSON = "application/x-ndjson"

WAITING = 256
"""Lines that wait for a client before their source is asked for no more."""


def _complain(task: asyncio.Task[None]) -> None:
    """A stream that broke is logged: its client only sees that it ended."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("a stream broke", exc_info=error)


class Client:
    """Who waits at the other end."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.queue: asyncio.Queue[object] = asyncio.Queue()
        self._taken = asyncio.Event()

    @property
    def gone(self) -> bool:
        """Whether nobody listens any more."""
        return self.left.is_set()

    def say(self, value: object) -> None:
        """Send a value as a line, if anybody still listens."""
        if not self.gone:
            self.queue.put_nowait(value)

    async def room(self) -> None:
        """Wait until not too much waits for the client: one that does not read must not fill our memory."""
        while self.queue.qsize() >= WAITING and not self.gone:
            self._taken.clear()
            await self._taken.wait()

    def took(self) -> None:
        """A line went out."""
        self._taken.set()


Work = Callable[[Client], Awaitable[None]]


class Streams:
    """What still runs, also after its client is gone. The daemon ends it in an orderly way before it ends."""

    def __init__(self) -> None:
        self._endless: set[asyncio.Task[None]] = set()
        self._works: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None], *, endless: bool) -> asyncio.Task[None]:
        """Run it and remember it until it is over."""
        task = asyncio.create_task(work)
        kept = self._endless if endless else self._works
        kept.add(task)
        task.add_done_callback(kept.discard)
        task.add_done_callback(_complain)
        return task

    async def stop(self, seconds: float) -> None:
        """End what would never end, give the rest a while, then take it back."""
        for task in self._endless:
            task.cancel()
        if self._works:
            _, late = await asyncio.wait(set(self._works), timeout=seconds)
            for task in late:
                task.cancel()
        await asyncio.gather(*self._endless, *self._works, return_exceptions=True)


class Lines(Response):
    """Runs ``work(client)`` and sends every value it says as a line.

    ``endless`` work is cancelled when the client goes; any other work sees ``client.gone`` and decides itself.
    """

    media_type = NDJSON

    def __init__(self, work: Work, status_code: int = 200, *, endless: bool = False) -> None:
        super().__init__(status_code=status_code)
        del self.headers["content-length"]
        self._work = work
        self._endless = endless

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = Client()
        streams: Streams = scope["app"].state.streams
        working = streams.start(self._run(client), endless=self._endless)
        leaving = asyncio.create_task(_gone(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _relay(client, leaving, send)
        finally:
            client.left.set()
            leaving.cancel()
            if self._endless:
                working.cancel()

    async def _run(self, client: Client) -> None:
        try:
            await self._work(client)
        finally:
            client.queue.put_nowait(_END)


async def _relay(client: Client, leaving: asyncio.Task[None], send: Send) -> None:
    while not leaving.done():
        said = asyncio.ensure_future(client.queue.get())
        await asyncio.wait({said, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not said.done():
            said.cancel()
            return
        if said.result() is _END:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await send({"type": "http.response.body", "body": line(said.result()), "more_body": True})
        client.took()


_END = object()


def line(value: object) -> bytes:
    """One value as a line."""
    return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def relayed(source: Callable[[], AsyncGenerator[Any, None]]) -> Lines:
    """An answer that passes on what an iterator gives."""

    async def work(client: Client) -> None:
        async with aclosing(source()) as values:
            async for value in values:
                client.say(value)
                await client.room()

    return Lines(work, endless=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
