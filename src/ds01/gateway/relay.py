"""Bytes that nobody reads on their way: terminals, logs, archives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ds01.gateway.stream import Stream


async def raw(client: Stream, engine: Stream, at_end: Callable[[], None] | None = None) -> None:
    """Both ways until the engine ends. Only after the engine has said that it changed protocols. ``at_end`` is done
    when the engine ends and the client is there, before the client hears of it.

    The client may end its side first (end of input) and goes on listening; when the engine ends, it has closed
    the connection both ways, and so do we.
    """
    if at_end is not None:
        engine.at_end(lambda: None if client.left.done() else at_end())
    engine.join(client)
    client.join(engine)
    try:
        await asyncio.wait((engine.gone, client.left), return_when=asyncio.FIRST_COMPLETED)
    finally:
        engine.part()
        client.part()
        engine.abort()
        client.close()
