"""Chunked bodies: strict, whatever pieces they come in, and as h11 reads them."""

from __future__ import annotations

import asyncio
from itertools import chain

import h11
import pytest
from dev.llhttp import read_request
from hypothesis import given, settings
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.body import AT_ONCE, CHUNK_BYTES, CHUNKS, LAST_CHUNK, Chunked, chunk, pieces, whole
from ds01.gateway.http import Framing
from ds01.gateway.owner import Owners
from ds01.gateway.stream import Stream
from tests.effort import tries

MIB = 1024 * 1024


def read(data: bytes, sizes: list[int]) -> tuple[bytes, bool, bytes]:
    """Payload, whether it ended, and what is left, when ``data`` comes in pieces of these sizes."""
    reader, payload, at, turn = Chunked(), b"", 0, 0
    while at < len(data) and not reader.done:
        size = sizes[turn % len(sizes)]
        payload += b"".join(chain.from_iterable(reader.feed(data[at : at + size])))
        at, turn = at + size, turn + 1
    return payload, reader.done, reader.rest + data[at:] if reader.done else b""


SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@settings(max_examples=tries(300), deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=60), max_size=8), SIZES, st.binary(max_size=20))
def test_what_was_sent_arrives_in_any_pieces(payloads: list[bytes], sizes: list[int], after: bytes) -> None:
    wire = b"".join(b"".join(chunk([part])) for part in payloads) + LAST_CHUNK
    assert read(wire + after, sizes) == (b"".join(payloads), True, after)


@pytest.mark.parametrize(
    "wire",
    [
        b"5;name=value\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhelloX0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n",
        b" 5\r\nhello\r\n",
        b"5 \r\nhello\r\n",
        b"-1\r\n",
        b"\r\n",
        b"fffffffff\r\n",
        b"g\r\n",
        b"5\r\r\nhello",
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_p13_a_chunk_that_is_not_plain_is_refused(wire: bytes, size: int) -> None:
    with pytest.raises(RefusedError) as caught:
        read(wire, [size])
    assert caught.value.rule == "http.chunked"


@settings(max_examples=tries(500), deadline=None)
@given(
    st.lists(
        st.sampled_from([b"0", b"1", b"5", b"a", b"\r\n", b"\n", b"\r", b"hello", b";x", b" ", b"\r\n\r\n"]),
        max_size=12,
    ),
    SIZES,
)
def test_p13_what_we_accept_h11_reads_alike(parts: list[bytes], sizes: list[int]) -> None:
    wire = b"".join(parts)
    try:
        payload, done, _ = read(wire, sizes)
    except RefusedError:
        return
    if not done:
        return
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + wire)
    theirs = b""
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Data):
            theirs += bytes(event.data)
    assert payload == theirs
    second = read_request(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + wire)
    assert second is not None
    assert payload == second.body


def arrived(wire: bytes) -> Stream:
    """A client's side that has sent this."""
    stream = Stream()
    stream.unread(wire)
    return stream


async def test_a_clients_body_is_not_of_thousands_of_tiny_chunks() -> None:
    tiny = b"1\r\n \r\n" * (CHUNKS + 1)
    with pytest.raises(RefusedError) as caught:
        await whole(arrived(tiny), Framing(chunked=True), 1024 * 1024, coarse=True)
    assert caught.value.rule == "http.chunked"
    assert await whole(arrived(tiny + LAST_CHUNK), Framing(chunked=True), 1024 * 1024) == b" " * (CHUNKS + 1)


@pytest.mark.parametrize(("count", "size"), [(CHUNKS, 1), (2 * CHUNKS, CHUNK_BYTES)])
async def test_a_body_of_many_chunks_is_whole(count: int, size: int) -> None:
    payload = b"x" * size
    wire = b"".join(chunk([payload])) * count + LAST_CHUNK
    found = await whole(arrived(wire), Framing(chunked=True), 2 * 1024 * 1024, coarse=True)
    assert found == payload * count


class Turns(Stream):
    """A client's side that has sent something at once, and how often its owner's turn was waited for."""

    def __init__(self, wire: bytes) -> None:
        super().__init__()
        self.unread(wire)
        self.turns = 0

    async def turn(self) -> None:
        self.turns += 1
        await super().turn()


@pytest.mark.parametrize("size", [1, CHUNK_BYTES])
async def test_p17_others_get_their_turn_between_tiny_chunks_that_came_at_once(size: int) -> None:
    payload, slices = b"x" * size, 14
    stream = Turns(b"".join(chunk([payload])) * slices * AT_ONCE + LAST_CHUNK + b"the next")
    found = [part async for part in pieces(stream, Framing(chunked=True))]
    assert b"".join(piece for part in found for piece in part) == payload * slices * AT_ONCE
    assert max(map(len, found)) <= AT_ONCE
    assert stream.turns >= slices - 1
    assert await stream.read() == b"the next"


async def test_p17_tiny_chunks_wait_for_their_owners_turn() -> None:
    """Alone nobody waits; what waits already comes first."""
    one, stream = Owners().of(1), arrived(b"1\r\n \r\n" * 2 * AT_ONCE + LAST_CHUNK)
    stream.belongs_to(one)
    now, waiting = (asyncio.get_running_loop().create_future() for _ in range(2))
    one.turns.wake(now)
    one.turns.wake(waiting)
    async with asyncio.timeout(10):
        assert await whole(stream, Framing(chunked=True), MIB) == b" " * 2 * AT_ONCE
    assert waiting.done()


async def test_large_chunks_that_came_at_once_are_read_at_once() -> None:
    stream = Turns(b"".join(chunk([b"x" * 4096])) * 64 + LAST_CHUNK)
    found = [part async for part in pieces(stream, Framing(chunked=True))]
    assert ([len(part) for part in found], stream.turns) == ([64], 0)
