"""Long answers that nobody reads: a bounded number of bytes for each user, and for a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import unread
from ds01.gateway.call import Timeouts
from ds01.gateway.unread import AT_ONCE, Unread
from tests.unit.gateway.farm import MINE, Farm, farm, plain

MIB = 1024 * 1024
LONG, SHORT = f"/v1.41/containers/{MINE}/top", "/v1.41/containers/json"
LOGS = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
SECONDS = 0.5


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Farm]:
    """Where nobody keeps more than a megabyte, for half a second."""
    async with farm(tmp_path, Timeouts(unread_seconds=SECONDS)) as made:
        set_up(made, monkeypatch)
        yield made


@pytest.fixture
async def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Farm]:
    """The same, for as long as usual."""
    async with farm(tmp_path) as made:
        set_up(made, monkeypatch)
        yield made


def set_up(place: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread, "OWN_BYTES", MIB)
    place.engine.answers |= {"/top": plain(200, b"x" * 4 * MIB), "/containers/json": plain(200, b"[]")}


@asynccontextmanager
async def asked(place: Farm, path: str) -> AsyncIterator[asyncio.StreamReader]:
    """A connection that has asked, and has an answer of which it has read a byte."""
    reader, writer = await asyncio.open_unix_connection(place.socket, limit=2)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    try:
        await asyncio.wait_for(reader.readexactly(1), 60)
        yield reader
    finally:
        writer.close()


async def rest(reader: asyncio.StreamReader) -> int:
    """How much more comes until the end."""
    size = 0
    try:
        while piece := await asyncio.wait_for(reader.read(MIB), 60):
            size += len(piece)
    except ConnectionError:
        pass
    return size


async def test_p17_a_long_answer_of_which_nothing_is_taken_is_given_up(place: Farm) -> None:
    async with asked(place, LONG) as reader:
        await asyncio.sleep(6 * SECONDS)
        assert await rest(reader) < 2 * MIB


async def test_p17_one_that_is_read_slowly_is_not(place: Farm) -> None:
    async with asked(place, LONG) as reader:
        size = 1
        while size < 4 * MIB:
            size += len(await asyncio.wait_for(reader.readexactly(256 * 1024), 60))
            await asyncio.sleep(SECONDS / 5)


async def test_p17_the_next_one_waits_and_what_is_short_does_not(patient: Farm) -> None:
    async with asked(patient, LONG) as first:
        second = asyncio.create_task(patient.get(LONG))
        assert (await patient.get(SHORT)) == (200, [])
        await asyncio.sleep(SECONDS)
        assert not second.done()
        await asyncio.wait_for(first.readexactly(4 * MIB), 60)
        status, found = await second
        assert (status, len(found)) == (200, 4 * MIB)


async def test_p17_whose_turn_does_not_come_reads_why(patient: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread, "TURN_SECONDS", SECONDS / 5)
    async with asked(patient, LONG):
        status, found = await patient.get(LONG)
        assert (status, "do not read" in found["message"]) == (429, True)
        assert (await patient.get(SHORT)) == (200, [])


async def test_p17_a_stream_may_pause(place: Farm) -> None:
    body = b"400000\r\n" + b"x" * 4 * MIB + b"\r\n0\r\n\r\n"
    place.engine.answers["/logs"] = LOGS + body
    async with asked(place, f"/v1.41/containers/{MINE}/logs?stdout=1") as reader:
        await asyncio.sleep(6 * SECONDS)
        assert await rest(reader) > 4 * MIB


async def test_p17_others_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when all that is kept of everybody's is: who has nothing here has her turn."""
    monkeypatch.setattr(unread, "ALL_BYTES", MIB)
    monkeypatch.setattr(unread, "TURN_SECONDS", SECONDS / 5)
    kept = Unread()
    with kept.of(1).keeping(2 * MIB), kept.of(2).keeping(1):
        for uid in (1, 2):
            with pytest.raises(RefusedError, match="do not read"):
                async with kept.of(uid).reading():
                    pass
        async with asyncio.timeout(60), kept.of(3).reading():
            pass
    async with asyncio.timeout(60), kept.of(1).reading(), kept.of(2).reading():
        pass


async def test_p17_so_many_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread, "TURN_SECONDS", SECONDS / 5)
    one = Unread().of(1)
    async with AsyncExitStack() as stack:
        for _ in range(AT_ONCE):
            assert not one.busy
            await stack.enter_async_context(one.reading())
        assert one.busy
        with pytest.raises(RefusedError):
            await stack.enter_async_context(one.reading())
    async with asyncio.timeout(60), one.reading():
        assert not one.busy
