"""What nobody reads on its way comes whole, in order, and no faster than it is taken."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from ds01.gateway import relay
from ds01.gateway.stream import READ_LIMIT, WRITE_LIMIT, Stream
from tests.unit.gateway.h2.test_link import pair

FAR = 64 * 1024 * 1024
IN_KERNEL = 4 * 1024 * 1024
"""More than sockets hold."""


@dataclass(frozen=True)
class Line:
    """A user at her client's stream, and the engine's stream at a daemon."""

    user: Stream
    client: Stream
    engine: Stream
    daemon: Stream


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    made = Line(*await pair(), *await pair())
    yield made
    for stream in (made.user, made.client, made.engine, made.daemon):
        stream.abort()
    await asyncio.sleep(0)


@asynccontextmanager
async def relayed(client: Stream, engine: Stream) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(relay.raw(client, engine))
    try:
        async with asyncio.timeout(60):
            yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def said(stream: Stream, size: int) -> bytes:
    """So many bytes that come, or all until its end."""
    found = b""
    while len(found) < size and (chunk := await stream.read()):
        found += chunk
    return found


async def test_both_ways_with_what_came_before(line: Line) -> None:
    user, client, engine, daemon = line.user, line.client, line.engine, line.daemon
    await user.write(b"early")
    await daemon.write(b"greeting")
    while not client._chunks or not engine._chunks:
        await asyncio.sleep(0)
    async with relayed(client, engine):
        await user.write(b" and late")
        await daemon.write(b", more")
        assert await said(daemon, 14) == b"early and late"
        assert await said(user, 14) == b"greeting, more"


async def test_a_client_that_ends_its_side_hears_the_rest(line: Line) -> None:
    user, client, engine, daemon = line.user, line.client, line.engine, line.daemon
    async with relayed(client, engine) as task:
        await user.write(b"input")
        user.write_eof()
        assert await said(daemon, 99) == b"input"
        await daemon.write(b"output")
        daemon.close()
        assert await said(user, 99) == b"output"
        await task


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ds01.gateway.stream.LOOK_SECONDS", 0.05)


@pytest.mark.usefixtures("looked_at")
async def test_a_client_that_is_gone_ends_it_though_the_engine_says_nothing(line: Line) -> None:
    """``docker attach`` that is killed while its container prints nothing."""
    async with relayed(line.client, line.engine) as task:
        await line.user.write(b"input")
        line.user.abort()
        assert await said(line.daemon, 99) == b"input"
        await task
        await line.daemon.left


@pytest.mark.usefixtures("looked_at")
async def test_one_that_ended_its_side_alone_is_heard_and_hears_for_as_long_as_it_takes(line: Line) -> None:
    async with relayed(line.client, line.engine) as task:
        line.user.write_eof()
        await asyncio.sleep(0.5)
        assert not task.done()
        await line.daemon.write(b"output")
        line.daemon.close()
        assert await said(line.user, 99) == b"output"


@pytest.mark.usefixtures("looked_at")
async def test_all_that_was_said_by_a_client_that_is_gone_comes(line: Line) -> None:
    """It writes, and closes: the other side reads when it likes."""
    line.daemon.hold()
    sent = 0
    async with relayed(line.client, line.engine) as task:
        while not line.engine.transport.get_write_buffer_size():
            await line.user.write(bytes(1000))
            sent += 1000
            await asyncio.sleep(0)
        line.user.close()
        await line.client.gone
        await asyncio.sleep(0.5)
        line.daemon.go_on()
        assert len(await said(line.daemon, FAR)) == sent
        await task


@pytest.mark.usefixtures("looked_at")
async def test_who_is_there_is_not_looked_at(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr("ds01.gateway.stream._hung_up", looks.append)
    async with relayed(line.client, line.engine):
        await asyncio.sleep(0.3)
        assert looks == []
        line.user.write_eof()
        await asyncio.sleep(0.3)
        assert len(looks) > 1


async def test_an_end_that_came_before_is_told(line: Line) -> None:
    user, client, engine, daemon = line.user, line.client, line.engine, line.daemon
    user.write_eof()
    await client.gone
    async with relayed(client, engine):
        assert await said(daemon, 99) == b""


@pytest.mark.parametrize("held", [0, READ_LIMIT - 1])
async def test_what_was_said_before_the_end_is_heard_by_who_was_still_writing(held: int) -> None:
    """``yes | docker run -i IMAGE head -1``: the engine has ended when the next input is written to it. However much is
    ``held`` already.
    """
    other, own = socket.socketpair()
    own.setblocking(False)
    _, stream = await asyncio.get_running_loop().create_unix_connection(Stream, sock=own)
    other.sendall(b"the answer")
    other.close()
    stream.unread(b"x" * held)
    with contextlib.suppress(ConnectionError):
        await stream.write(b"more")
    async with asyncio.timeout(60):
        assert await said(stream, 99 + held) == b"x" * held + b"the answer"


async def test_the_last_output_reaches_a_client_that_goes_on_sending(line: Line) -> None:
    user, client, engine, daemon = line.user, line.client, line.engine, line.daemon
    async with relayed(client, engine) as task:
        await user.write(b"input")
        assert await said(daemon, 5) == b"input"
        engine.hold()
        await daemon.write(b"output")
        daemon.abort()
        await daemon.left
        await user.write(b"more input")
        assert await said(user, 99) == b"output"
        await task


async def test_all_of_a_lot_comes_and_in_order(line: Line) -> None:
    user, client, engine, daemon = line.user, line.client, line.engine, line.daemon
    text = b"".join(b"%9d " % number for number in range(800_000))

    async def tell() -> None:
        await daemon.write(text)
        await daemon.emptied()
        daemon.close()

    async with relayed(client, engine) as task:
        telling = asyncio.create_task(tell())
        assert await said(user, len(text) + 1) == text
        await asyncio.gather(telling, task)


async def test_who_reads_nothing_stops_the_other_side_and_goes_on(line: Line) -> None:
    """Either way; what is held here meanwhile is bounded."""
    user, client, engine, daemon = line.user, line.client, line.engine, line.daemon
    async with relayed(client, engine):
        for source, sink, out in ((daemon, user, client), (user, daemon, engine)):
            sink.hold()
            writing = asyncio.create_task(_much(source))
            before = -1
            while (now := out.transport.get_write_buffer_size()) != before or not now:
                before = now
                await asyncio.sleep(0.05)
            assert now <= WRITE_LIMIT + READ_LIMIT
            assert not writing.done()
            sink.go_on()
            found = 0
            while found < FAR:
                found += len(await sink.read())
            await writing


async def _much(stream: Stream) -> None:
    piece = bytes(1024 * 1024)
    for _ in range(FAR // len(piece)):
        await stream.write(piece)
    await stream.emptied()


async def test_a_client_that_is_lost_ends_it(line: Line) -> None:
    user, client, engine, daemon = line.user, line.client, line.engine, line.daemon
    async with relayed(client, engine) as task:
        await daemon.write(b"x")
        assert await said(user, 1) == b"x"
        user.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        user.abort()
        with contextlib.suppress(ConnectionError):
            while not task.done():
                await daemon.write(b"y" * 1000)
                await asyncio.sleep(0)
        await task
        assert await said(daemon, 1) == b""


async def test_nobody_who_waits_to_write_is_let_through_by_another_who_gave_up(line: Line) -> None:
    near, far = line.user, line.client
    far.hold()
    waiting = [asyncio.create_task(near.write(bytes(IN_KERNEL))) for _ in range(3)]
    await asyncio.sleep(0.05)
    waiting[0].cancel()
    await asyncio.sleep(0.05)
    assert [task.done() for task in waiting] == [True, False, False]
    late = asyncio.create_task(near.write(b"late"))
    await asyncio.sleep(0.05)
    assert not late.done()
    far.go_on()
    async with asyncio.timeout(60):
        assert len(await said(far, 3 * IN_KERNEL + 4)) == 3 * IN_KERNEL + 4
        await asyncio.gather(*waiting[1:], late)


@pytest.mark.parametrize("before", [False, True], ids=["later", "ended before"])
async def test_what_is_done_at_the_end_is_done_before_the_client_hears_of_it(
    line: Line, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    user, client, engine, daemon = line.user, line.client, line.engine, line.daemon
    order: list[str] = []
    tell = client.write_eof

    def told() -> None:
        order.append("told")
        tell()

    monkeypatch.setattr(client, "write_eof", told)
    if before:
        daemon.write_eof()
        await engine.gone
    task = asyncio.create_task(relay.raw(client, engine, lambda: order.append("done")))
    async with asyncio.timeout(60):
        await asyncio.sleep(0)
        daemon.close()
        await task
        assert await said(user, 1) == b""
    assert order[:2] == ["done", "told"]
    assert order.count("done") == 1


async def test_nothing_is_done_at_the_end_where_the_client_went_first(line: Line) -> None:
    order: list[str] = []
    line.client.abort()
    await line.client.left
    async with asyncio.timeout(60):
        await relay.raw(line.client, line.engine, lambda: order.append("done"))
    assert order == []
