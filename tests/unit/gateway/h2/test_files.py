"""Files for the engine: what is refused is said in a packet, while the call still stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote

from ds01.domain.dockerpolicy import protobuf
from ds01.gateway.h2 import files, grpc
from ds01.gateway.h2.link import Call, Link
from tests.unit.gateway.h2.test_link import HEADERS, pair, running

WHY = "DS01: ADD of an address is not allowed here (build.add)."


async def failing(near: Call) -> None:
    await files.fail(near, grpc.DENIED, WHY)


@asynccontextmanager
async def calling() -> AsyncIterator[Link]:
    """A link to call what fails."""
    streams = await pair()
    caller = Link(streams[0])
    try:
        async with running(caller, Link(streams[1], failing)):
            yield caller
    finally:
        for stream in streams:
            stream.abort()
        await asyncio.sleep(0)


async def test_what_is_refused_is_said_before_the_call_ends() -> None:
    """The engine ends a call whose packet says that it failed; one that was ended first may say less."""
    async with calling() as caller:
        call = await caller.call(HEADERS)
        packet = protobuf.fields(await anext(grpc.messages(call)))
        assert (protobuf.one(packet, 1).count, protobuf.one(packet, 4).text) == (files.FAILED, WHY)  # type: ignore[union-attr]
        assert not call.complete
        await call.give_up()


async def test_who_does_not_heed_the_packet_is_told_by_the_status() -> None:
    async with calling() as caller:
        call = await caller.call(HEADERS)
        await call.end()
        assert [message async for message in grpc.messages(call)]
        status = dict(call.trailers)
    assert (status["grpc-status"], unquote(status["grpc-message"])) == (str(grpc.DENIED), WHY)
