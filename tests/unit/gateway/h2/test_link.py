"""Calls over a pair of sockets: both ways, given up, never read, and broken in every way."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import unquote

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.h2 import grpc
from ds01.gateway.h2.frames import AT_ONCE, SPARE
from ds01.gateway.h2.grpc import ANSWER, Method, RefusedCallError
from ds01.gateway.h2.link import CALL_BYTES, Call, CallLostError, Headers, Link
from ds01.gateway.held import LATER, DoorDownError
from ds01.gateway.owner import Owner
from ds01.gateway.stream import Stream

HEADERS = grpc.request(Method(path="/a.B/C", metadata=[]), keep=lambda _: True)


async def pair() -> tuple[Stream, Stream]:
    """Two streams that speak to each other."""
    made = []
    for each in socket.socketpair():
        _, stream = await asyncio.get_running_loop().create_unix_connection(Stream, sock=each)
        made.append(stream)
    return made[0], made[1]


@asynccontextmanager
async def running(*links: Link) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(link.run()) for link in links]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _nothing() -> None:
    """Nothing has to be settled."""


@asynccontextmanager
async def between(
    accept: Callable[[Call], Awaitable[None]], settle: Callable[[], Awaitable[None]] = _nothing, *,
    view: Callable[[bytes], bytes] | None = None, owner: Owner | None = None,
) -> AsyncIterator[Link]:  # fmt: skip
    """A link to call from, of ``owner``'s; what is called is ``accept``, behind a second pair of links that relays."""
    (client, gateway), (outward, engine) = await pair(), await pair()
    gateway.belongs_to(owner)
    far = Link(outward)

    async def relayed(near: Call) -> None:
        headers = grpc.request(grpc.method(near.headers), keep=lambda _: True)
        await grpc.relay(near, far, headers, settle=settle, view=view)

    async def served(call: Call) -> None:
        await accept(call)

    caller = Link(client)
    try:
        async with running(far, Link(gateway, relayed), Link(engine, served), caller):
            yield caller
    finally:
        for stream in (client, gateway, outward, engine):
            stream.abort()
        await asyncio.sleep(0)


async def test_a_call_passes_both_ways() -> None:
    async def echo(call: Call) -> None:
        await call.send_headers(ANSWER)
        async for message in grpc.messages(call):
            await call.write(grpc.framed(message[::-1]))
        await call.send_headers([("grpc-status", "0")], end=True)

    async with between(echo) as link:
        call = await link.call(HEADERS)
        await call.write(grpc.framed(b"abc") + grpc.framed(b"x" * 100_000))
        await call.end()
        found = [message async for message in grpc.messages(call)]
    assert found == [b"cba", b"x" * 100_000]
    assert dict(call.trailers)["grpc-status"] == "0"


async def test_what_may_not_stay_after_all_is_said_as_the_end_of_the_call() -> None:
    async def done(call: Call) -> None:
        await call.send_headers(ANSWER)
        await call.write(grpc.framed(b"made"))
        await call.send_headers([("grpc-status", "0")], end=True)

    async def refused() -> None:
        raise RefusedError("image.heavy", "The image was taken away again", status=400)

    async with between(done, refused) as link:
        call = await link.call(HEADERS)
        await call.end()
        assert [message async for message in grpc.messages(call)] == [b"made"]
    status = dict(call.trailers)
    assert status["grpc-status"] != "0"
    assert "taken away again" in unquote(status["grpc-message"])


async def test_an_end_that_ds01d_does_not_hear_is_said_as_the_end_of_the_call() -> None:
    async def answering(call: Call) -> None:
        await call.send_headers(ANSWER)
        await call.send_headers([("grpc-status", "0")], end=True)

    async def away() -> None:
        raise DoorDownError("ds01d closed the connection")

    async with between(answering, away) as link:
        call = await link.call(HEADERS)
        await call.end()
        assert [data async for data in grpc.messages(call)] == []
        found = dict(call.trailers)
        assert found["grpc-status"] == str(grpc.Code.UNAVAILABLE)
        assert unquote(found["grpc-message"]) == LATER


async def test_p21_a_caller_that_gives_up_ends_the_call_behind() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def waits(call: Call) -> None:
        begun.set()
        try:
            await call.read()
        finally:
            ended.set()

    async with between(waits) as link:
        call = await link.call(HEADERS)
        await asyncio.wait_for(begun.wait(), 60)
        await call.give_up()
        await asyncio.wait_for(ended.wait(), 60)


async def test_p21_a_call_reset_behind_is_lost_here() -> None:
    async def resets(call: Call) -> None:
        await call.send_headers(ANSWER)
        await call.give_up()

    async with between(resets) as link:
        call = await link.call(HEADERS)
        with pytest.raises(CallLostError):
            await call.read()


async def test_a_caller_that_never_reads_holds_no_more_than_its_share() -> None:
    sent = 0

    async def pours(call: Call) -> None:
        nonlocal sent
        await call.send_headers(ANSWER)
        while True:
            await call.write(b"x" * 16384)
            sent += 16384

    async with between(pours) as link:
        await link.call(HEADERS)
        before = -1
        while sent == 0 or sent != before:
            before = sent
            await asyncio.sleep(0.2)
        other = await link.call(HEADERS)
        assert len(await asyncio.wait_for(other.read(), 60)) > 0  # others go on
    assert 0 < before <= 3 * CALL_BYTES


async def test_messages_that_are_too_large_or_compressed_are_refused() -> None:
    refused: list[int] = []

    async def reads(call: Call) -> None:
        try:
            await grpc.only(call, cap=10)
        except RefusedCallError as error:
            refused.append(error.code)
            await grpc.refuse(call, error.code, "no: 100% ä")

    async with between(reads) as link:
        for data in (b"\0\0\0\0\x0b" + b"x" * 11, b"\1\0\0\0\1x", b"\0\0\0", b""):
            call = await link.call(HEADERS)
            await call.write(data)
            await call.end()
            assert dict(await call.answered())["grpc-message"] == "no: 100%25 %C3%A4"
    assert refused == [8, 12, 3, 3]


@pytest.mark.parametrize(
    ("name", "value"),
    [(":path", "/a.B/C/../D"), (":path", "http://x/a.B/C"), (":method", "GET"), ("content-type", "text/plain"),
     ("grpc-encoding", "gzip"), ("x-y", "a\x01b")],
)  # fmt: skip
def test_p16_calls_that_are_none_are_refused(name: str, value: str) -> None:
    headers = [(key, text) for key, text in HEADERS if key != name] + [(name, value)]
    with pytest.raises(RefusedCallError):
        grpc.method(headers)


def preface() -> bytes:
    made = H2Connection(H2Configuration())
    made.initiate_connection()
    made.send_headers(1, list(HEADERS))
    made.send_data(1, grpc.framed(b"hello"))
    return made.data_to_send()


@given(data=st.binary(max_size=400), cut=st.integers(0, 400), flipped=st.integers(0, 255))
def test_p13_any_bytes_end_a_connection_or_are_a_call(data: bytes, cut: int, flipped: int) -> None:
    """Cut, with a byte changed, with rubbish behind: it ends by itself, and nothing of it stays."""
    good = bytearray(preface())
    if cut < len(good):
        good[cut] = flipped

    async def attack() -> None:
        async def accept(call: Call) -> None:
            grpc.method(call.headers)
            async for _ in grpc.messages(call, cap=100):
                pass
            await call.send_headers([*ANSWER, ("grpc-status", "0")], end=True)

        attacker, gateway = await pair()
        serving = asyncio.create_task(Link(gateway, accept).run())
        await attacker.write(bytes(good) + data)
        attacker.write_eof()
        await asyncio.wait_for(serving, 60)
        attacker.abort()
        gateway.abort()
        await asyncio.sleep(0)

    asyncio.run(attack())


async def test_p17_empty_frames_without_end_end_their_connection_and_keep_nobody_waiting() -> None:
    """What was sent at once is enough for seconds, if it were all taken in."""

    async def ends(call: Call) -> None:
        await call.give_up()

    attacker, gateway = await pair()
    serving, turns = asyncio.create_task(Link(gateway, ends).run()), 0
    flooding = asyncio.create_task(attacker.write(preface() + b"\0\0\0\xbb\0\0\0\0\0" * 100_000))
    async with asyncio.timeout(60):
        while not serving.done():
            await asyncio.sleep(0)
            turns += 1
    assert turns > SPARE / AT_ONCE
    said = b""
    while chunk := await attacker.read():
        said += chunk
        gateway.abort()
    assert b"frames that carry nothing" in said
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)
    attacker.abort()
    await asyncio.sleep(0)


@pytest.mark.parametrize(("fields", "called"), [(100, 1), (200, 0)])
async def test_p17_headers_are_bounded_also_while_the_other_side_has_not_agreed(fields: int, called: int) -> None:
    """A field of one byte stands for sixty."""
    calls = list[Headers]()

    async def accept(call: Call) -> None:
        calls.append(call.headers)

    attacker, gateway = await pair()
    serving = asyncio.create_task(Link(gateway, accept, header_bytes=8192).run())
    block = b"\x83\x86\x84\x01\x01a" + b"\x90" * fields
    await attacker.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
    await attacker.write(len(block).to_bytes(3, "big") + b"\1\5\0\0\0\1" + block)
    attacker.write_eof()
    await asyncio.wait_for(serving, 60)
    assert [len(each) for each in calls] == [4 + fields] * called
    attacker.abort()
    gateway.abort()
    await asyncio.sleep(0)


async def test_what_acknowledges_a_long_answer_ends_nothing() -> None:
    """Each piece of it is answered by two frames that carry nothing."""
    pieces = 2 * SPARE

    async def long(call: Call) -> None:
        await call.send_headers(ANSWER)
        for _ in range(pieces):
            await call.write(grpc.framed(b"x" * 20_000))
        await call.send_headers([("grpc-status", "0")], end=True)

    async with between(long) as link:
        call = await link.call(HEADERS)
        await call.end()
        assert [len(message) async for message in grpc.messages(call)] == [20_000] * pieces


async def test_many_connections_leave_no_descriptor_behind() -> None:
    async def answers(call: Call) -> None:
        await call.send_headers([*ANSWER, ("grpc-status", "0")], end=True)

    async def once(kind: int) -> None:
        client, gateway = await pair()
        async with running(Link(gateway, answers)):
            if kind == 0:
                await client.write(preface())
                await client.read()
            elif kind == 1:
                await client.write(preface()[:-20])
        client.abort()
        gateway.abort()
        await asyncio.sleep(0)

    await once(0)
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for number in range(60):
        await once(number % 3)
    async with asyncio.timeout(60):
        while len(os.listdir("/proc/self/fd")) > before + 2:
            await asyncio.sleep(0.01)


async def test_the_one_message_of_a_call_is_not_waited_for_behind_a_second() -> None:
    reads = 0

    class Endless(Call):
        async def read(self) -> bytes:
            nonlocal reads
            reads += 1
            return grpc.framed(b"x" * 100)

    with pytest.raises(RefusedCallError, match="one message"):
        async with asyncio.timeout(60):
            await grpc.only(Endless.__new__(Endless))
    assert reads == 2
