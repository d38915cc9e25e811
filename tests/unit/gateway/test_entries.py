"""Archives that are small when they come and large when they are unpacked: others get their turn meanwhile."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest

from ds01.domain.dockerpolicy.context import END, Context
from ds01.domain.dockerpolicy.loading import reader
from ds01.domain.dockerpolicy.tarhead import entry
from ds01.domain.dockerpolicy.unpacked import PIECE, STREAM_BYTES, STREAM_COST
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import body as bodies
from ds01.gateway import flow
from ds01.gateway.body import Piece
from ds01.gateway.call import Timeouts
from ds01.gateway.entries import SLICE, STEPS, entries, last_entries, reading, unpacked
from ds01.gateway.http import AnswerHead, Framing
from tests.unit.dockerpolicy.test_context import noted, one
from tests.unit.gateway.h2.test_link import pair

T = TypeVar("T")
MIB = 1024 * 1024
SMALL = entry("a", b"x" * 700)


def taken_for_nothing(size: int) -> None:
    """Memory is there."""


class Taken:
    """The engine's side, which takes what comes."""

    def __init__(self) -> None:
        self.data = b""

    async def send_body(self, parts: Sequence[Piece]) -> None:
        assert parts
        self.data += b"".join(parts)

    async def end_body(self) -> None:
        self.data += b"."


async def sent(data: bytes, through: Callable[[Piece], Iterable[Piece]], end: Callable[[], Awaitable[Any]]) -> Taken:
    """Send a body through, as a client's long body is."""
    client, gateway = await pair()
    taken = Taken()
    head, gate = SimpleNamespace(framing=Framing(length=len(data))), SimpleNamespace(timeouts=Timeouts())
    call = cast(Any, SimpleNamespace(client=gateway, head=head, gate=gate))
    try:
        async with asyncio.timeout(120):
            _, whole = await asyncio.gather(client.write(data), flow._sent(call, cast(Any, taken), through, end, None))
        assert whole
    finally:
        client.abort()
        gateway.abort()
    return taken


@pytest.mark.parametrize("pack", [bytes, bz2.compress])
async def test_nothing_is_unpacked_behind_the_end(pack: Callable[[bytes], bytes]) -> None:
    plain, archive = unpacked("The context", None, taken_for_nothing), Context(wanted=frozenset())

    async def end() -> list[Piece]:
        return last_entries(plain, archive)

    taken = await sent(pack(SMALL + END + b"\0" * 20 * MIB), entries(plain, archive), end)
    assert taken.data == SMALL + b"."
    assert plain.size <= 2 * MIB


async def turns(sending: Coroutine[Any, Any, T]) -> tuple[T, int]:
    """What came of it, and how often others had their turn meanwhile."""
    count = 0

    async def beside() -> None:
        nonlocal count
        while True:
            await asyncio.sleep(0)
            count += 1

    watching = asyncio.create_task(beside())
    try:
        return await sending, count
    finally:
        watching.cancel()


async def test_others_get_their_turn_while_nothing_passes() -> None:
    plain, archive = unpacked("The archive", None, taken_for_nothing), reader()

    async def end() -> list[Piece]:
        return last_entries(plain, archive)

    lists = entry("repositories", b"x" * (MIB - 512)) * 40
    taken, count = await turns(sent(bz2.compress(SMALL + lists + END), entries(plain, archive), end))
    assert taken.data == SMALL + b"."
    assert count >= 39


async def test_p17_others_get_their_turn_while_many_streams_bring_little() -> None:
    plain, streams = unpacked("The archive", None, taken_for_nothing), 100 * PIECE // STREAM_COST

    async def end() -> list[Piece]:
        return list(plain.finish())

    taken, count = await turns(sent(gzip.compress(b"x" * STREAM_BYTES) * streams, plain.feed, end))
    assert len(taken.data) == STREAM_BYTES * streams + 1
    assert count >= 100


async def test_a_packed_archive_that_is_cut_short_is_refused() -> None:
    """Also behind the end of what it packs: what is short by a little was not sent whole."""
    for packed in (bz2.compress(SMALL * 9)[:-9], bz2.compress(SMALL + END)[:-9], gzip.compress(SMALL + END)[:-5]):
        plain, archive = unpacked("The archive", None, taken_for_nothing), reader()
        for piece in entries(plain, archive)(packed):
            del piece
        with pytest.raises(RefusedError, match="ends in the middle"):
            last_entries(plain, archive)


def test_p17_others_get_their_turn_while_entries_are_small() -> None:
    """A file of nothing has a header, and a note of many records has no more bytes than one of a few."""
    files, notes = entry("f", b"") * 100 * STEPS, noted(tarfile.XHDTYPE, b"5 a=\n" * 100) * STEPS
    of_notes = one("f", tarfile.REGTYPE, 1) * STEPS
    for data, size, steps, passes in (
        (files, SLICE, 100 * STEPS, files), (files, 512, 100 * STEPS, files), (notes, SLICE, 102 * STEPS, of_notes),
    ):  # fmt: skip
        archive = Context(wanted=frozenset())
        read = reading(archive)
        passed = [piece for at in range(0, len(data), size) for piece in read(data[at : at + size])]
        assert (b"".join(passed), archive.steps) == (passes, steps)
        assert passed.count(flow.BREATH) >= min(steps // STEPS, len(data) // SLICE)


async def test_p17_others_get_their_turn_while_little_of_an_answer_passes() -> None:
    """What the engine saves, say, with many small entries."""
    client, gateway = await pair()
    head, breaths = AnswerHead(status=200, headers={}, framing=Framing(until_close=True)), 40
    call = cast(Any, SimpleNamespace(client=gateway))

    async def pieces() -> AsyncIterator[Sequence[Piece]]:
        yield [b"x"] * breaths

    async def answered(_: object) -> AnswerHead:
        return head

    def change(piece: Piece) -> Iterable[Piece]:
        return piece, flow.BREATH

    exchange = cast(Any, SimpleNamespace(answered=answered, pieces=pieces))
    try:
        async with asyncio.timeout(20):
            _, count = await turns(flow._through(call, exchange, change, lambda: (b"end",), None))
            gateway.close()
            found = await bodies.whole(client, Framing(until_close=True), MIB)
    finally:
        client.abort()
        gateway.abort()
    assert found.endswith(b"1\r\nx\r\n3\r\nend\r\n0\r\n\r\n")
    assert count >= breaths - 1
