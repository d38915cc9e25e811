"""Bytes that nobody reads on their way: terminals, logs, archives."""

from __future__ import annotations

import asyncio
import contextlib

from ds01.gateway.stream import Stream


async def raw(client: Stream, engine: Stream) -> None:
    """Both ways until the engine ends. Only after the engine has said that it changed protocols.

    The client may end its side first (end of input) and goes on listening; when the engine ends, it has closed
    the connection both ways, and so do we.
    """
    tasks = [asyncio.create_task(work) for work in (_pump(engine, client), client.lost(), _pump(client, engine))]
    try:
        await asyncio.wait(tasks[:2], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        engine.abort()
        client.close()


async def _pump(source: Stream, sink: Stream) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await source.read():
            await sink.write(chunk)
        sink.write_eof()
