"""How long a client may take, and that no such limit ends what is only silent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ds01.gateway.call import Timeouts
from tests.unit.gateway.farm import MINE, Farm, farm

SHORT = 1.0
LOGS = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
ATTACHED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello"
SILENT = {
    "logs": f"GET /v1.41/containers/{MINE}/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: d\r\n\r\n",
    "wait": f"POST /v1.41/containers/{MINE}/wait HTTP/1.1\r\nHost: d\r\n\r\n",
    "attach": f"POST /v1.41/containers/{MINE}/attach?stream=1 HTTP/1.1\r\nHost: d\r\n"
    "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    """A gateway with short timeouts."""
    short = Timeouts(idle_seconds=SHORT, head_seconds=SHORT, body_seconds=SHORT)
    async with farm(tmp_path, short) as made:
        made.engine.answers |= {"/logs": LOGS, "/wait": LOGS, "/attach": ATTACHED}
        made.engine.held = tuple(made.engine.answers)
        yield made


async def trickled(place: Farm, head: bytes, body: bytes) -> bytes:
    """The answer to a request of which a byte comes now and then; what comes too late is not read by anybody."""
    found = b""
    reader, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(head)

    async def send() -> None:
        for byte in body:
            writer.write(bytes([byte]))
            await asyncio.sleep(SHORT / 4)

    sending = asyncio.create_task(send())
    try:
        with contextlib.suppress(ConnectionError):
            while piece := await asyncio.wait_for(reader.read(1000), 60):
                found += piece
    finally:
        sending.cancel()
        writer.close()
    return found


async def test_p17_a_body_that_trickles_is_not_waited_for(place: Farm) -> None:
    head = b"POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: 400\r\n\r\n"
    said = await trickled(place, head, b'{"Image":"bb"' + b" " * 300)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"body.slow" in said
    assert not [asked for asked in place.engine.asked if "create" in asked]


async def test_p17_a_head_that_trickles_is_no_request(place: Farm) -> None:
    assert await trickled(place, b"GET /_ping HT", b"TP/1.1\r\nX: " + b"y" * 300) == b""


@pytest.mark.parametrize("what", SILENT)
async def test_what_is_silent_for_long_goes_on(place: Farm, what: str) -> None:
    """For longer than any timeout there is; then the engine says something."""
    reader, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(SILENT[what].encode())
    await asyncio.wait_for(reader.readuntil(b"hello"), 60)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1000) if what == "attach" else reader.readuntil(b"more"), 3 * SHORT)
    writer.close()


async def test_p17_between_requests_sent_at_once_others_have_their_turn(place: Farm) -> None:
    many, turns, over = 500, 0, asyncio.Event()

    async def others() -> None:
        nonlocal turns
        while not over.is_set():
            turns += 1
            await asyncio.sleep(0)

    reader, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(b"OPTIONS / HTTP/1.1\r\nHost: d\r\n\r\n" * many)
    beside = asyncio.create_task(others())
    answers = b""
    async with asyncio.timeout(60):
        while answers.count(b"HTTP/1.1 ") < many:
            if not answers:
                turns = 0
            answers += await reader.read(1 << 20)
    over.set()
    await beside
    writer.close()
    assert turns >= many / 2
