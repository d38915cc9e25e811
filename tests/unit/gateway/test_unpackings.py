"""Archives on their way: so many of each user, so much memory for what they reach back, and not for ever in silence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from ds01.domain.dockerpolicy.unpacked import FAR_BYTES, NEAR_BYTES
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.limits import LOADS
from ds01.gateway.call import Timeouts
from ds01.gateway.shares import unfinished, unpackings
from tests.unit.gateway.farm import UID, Farm, as_json, farm

LOAD = b"POST /v1.41/images/load HTTP/1.1\r\nHost: d\r\nContent-Length: 9000\r\n\r\n"
SECONDS = 0.5


def test_so_much_of_one_user_and_then_none() -> None:
    held = unpackings()
    with ExitStack() as stack:
        take = stack.enter_context(held.taking(1))
        for _ in range(held.own.size // FAR_BYTES):
            take(FAR_BYTES)
        with pytest.raises(RefusedError, match="Your archives"):
            take(FAR_BYTES)
        with held.taking(2) as others:
            others(FAR_BYTES)
    with held.taking(1) as take:
        take(FAR_BYTES)


def test_so_much_of_all_together() -> None:
    held = unpackings()
    with ExitStack() as stack:
        for uid in range(held.every.size // FAR_BYTES):
            stack.enter_context(held.taking(uid))(FAR_BYTES)
        with pytest.raises(RefusedError, match="no memory for another") as refused:
            stack.enter_context(held.taking(10_000))(NEAR_BYTES)
        assert refused.value.status == 503
    with held.taking(10_000) as take:
        take(NEAR_BYTES)


def test_p17_so_much_of_messages_without_their_ends() -> None:
    held = unfinished()
    with ExitStack() as stack:
        for uid in range(held.every.size // held.own.size):
            hold = stack.enter_context(held.taking(uid))
            hold(held.own.size)
            with pytest.raises(RefusedError, match="that are worked on"):
                hold(1)
        with pytest.raises(RefusedError, match="no memory for another"):
            stack.enter_context(held.taking(10_000))(1)
    with held.taking(10_000) as hold:
        hold(held.own.size)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path, Timeouts(stalled_seconds=SECONDS)) as made:
        made.daemon.answers |= {f"/door/users/{UID}/room": as_json({"left_bytes": None})}
        yield made


@asynccontextmanager
async def begun(place: Farm, data: bytes = b"") -> AsyncIterator[asyncio.StreamReader]:
    """A load of which no more comes."""
    reader, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(LOAD + data)
    try:
        yield reader
    finally:
        writer.close()


async def said(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Status and message of an answer."""
    data = await asyncio.wait_for(reader.read(), 60)
    start, _, rest = data.partition(b"\r\n\r\n")
    return int(start.split(b" ")[1]), str(json.loads(rest)["message"])


async def test_a_body_of_which_no_more_comes_is_given_up(place: Farm) -> None:
    async with begun(place, b"x" * 100) as reader:
        status, message = await said(reader)
    assert (status, "body.stalled" in message) == (408, True)


async def test_one_that_moves_is_not(place: Farm) -> None:
    reader, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(LOAD)
    answer = asyncio.create_task(reader.read(1))
    for _ in range(12):
        writer.write(b"\0")
        await asyncio.sleep(SECONDS / 5)
        assert not answer.done()
    answer.cancel()
    writer.close()


async def test_so_many_loads_and_no_more(tmp_path: Path) -> None:
    async with farm(tmp_path) as place:
        place.daemon.answers |= {f"/door/users/{UID}/room": as_json({"left_bytes": None})}
        async with AsyncExitStack() as stack:
            for number in range(LOADS):
                await stack.enter_async_context(begun(place))
                while sum("/images/load" in line for line in place.engine.asked) <= number:
                    await asyncio.sleep(0.01)
            status, message = await said(await stack.enter_async_context(begun(place)))
            assert (status, "load.many" in message) == (429, True)
