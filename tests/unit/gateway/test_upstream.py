"""Who is asked is named when it does not answer, and no connection to it stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from ds01.gateway.call import Call
from ds01.gateway.door import Door
from ds01.gateway.held import DoorDownError
from ds01.gateway.rows import Rows, read
from ds01.gateway.upstream import Ask, Upstream, UpstreamError

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(path: Path, serve: Serve) -> AsyncIterator[None]:
    server = await asyncio.start_unix_server(serve, path)
    try:
        yield
    finally:
        server.close()


@asynccontextmanager
async def stalling(path: Path, answer: bytes) -> AsyncIterator[Upstream]:
    """An engine that says this much and no more, for as long as it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await reader.read()
        writer.close()

    async with served(path, serve):
        yield Upstream(str(path), "the engine")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", "ds01d closed the connection"),
        (b"HTTP/1.1 302 X\r\nContent-Length: 0\r\n\r\n", "ds01d sent a redirect"),
        (b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{", "ds01d's answer was cut short"),
        (b"HTTP/1.1 200 X\r\nContent-", "ds01d's answer cannot be read"),
        (b"HTTP/1.1 200 X\r\nA: " + b"a" * 40_000, "ds01d's answer cannot be read"),
        (b"SSH-2.0\r\n\r\n", "ds01d's answer cannot be read"),
        (b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "ds01d's answer cannot be read"),
    ],
)
async def test_a_ds01d_that_does_not_answer_is_no_engine(tmp_path: Path, answer: bytes, sentence: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with served(tmp_path / "s", serve):
        with pytest.raises(DoorDownError, match=re.escape(sentence)):
            await Door(str(tmp_path / "s")).engine()


async def test_p21_a_request_that_is_broken_off_while_it_is_sent_leaves_no_connection(tmp_path: Path) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await asking_gone.wait()
        with contextlib.suppress(ConnectionError):
            while await reader.read(1 << 20):
                pass
        ended.set()
        writer.close()

    asking_gone = asyncio.Event()
    async with served(tmp_path / "s", serve):
        ask = Ask(method="POST", target="/", body=bytes(16 << 20))
        asking = asyncio.create_task(Upstream(str(tmp_path / "s"), "the engine").open(ask))
        async with asyncio.timeout(30):
            await begun.wait()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            asking_gone.set()
            await ended.wait()


async def test_one_that_is_broken_off_as_the_loop_takes_it_over_is_closed_once(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with served(tmp_path / "s", serve):
        upstream = Upstream(str(tmp_path / "s"), "the engine")
        sent = upstream.send(Ask(method="GET", target="/"))
        opening = asyncio.create_task(upstream.opened(sent))
        await asyncio.sleep(0)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        assert opening.cancelled()
        assert sent.connection.fileno() == -1


@pytest.mark.parametrize("framing", ["Content-Length: 9", "Transfer-Encoding: chunked", "Connection: close"])
@pytest.mark.parametrize("begun", [b"", b"1\r\n"])
async def test_one_that_stalls_after_its_head_does_not_answer(tmp_path: Path, framing: str, begun: bytes) -> None:
    answer = f"HTTP/1.1 200 X\r\n{framing}\r\n\r\n".encode() + begun
    async with stalling(tmp_path / "s", answer) as upstream, asyncio.timeout(10):
        with pytest.raises(UpstreamError, match="the engine does not answer") as told:
            await upstream.whole(Ask(method="GET", target="/"), 0.05)
    assert told.value.status == 504


async def test_a_list_that_stalls_is_no_answer(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n"
    async with stalling(tmp_path / "s", answer) as upstream, asyncio.timeout(10):
        call = cast(Call, SimpleNamespace(gate=SimpleNamespace(engine=upstream)))
        with pytest.raises(UpstreamError, match="the engine does not answer"):
            await anext(read(call, "/", Rows(), 0.05))
