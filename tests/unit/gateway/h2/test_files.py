"""Files for the engine: what is refused is said in a packet, while the call still stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import pytest

from ds01.domain.dockerpolicy import protobuf
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.h2 import files, grpc
from ds01.gateway.h2.link import Call, Link
from tests.unit.gateway.h2.test_link import HEADERS, pair, running

WHY = "DS01: ADD of an address is not allowed here (build.add)."


async def failing(near: Call) -> None:
    await files.fail(near, grpc.Code.PERMISSION_DENIED, WHY)


@asynccontextmanager
async def calling(accept: Callable[[Call], Coroutine[Any, Any, None]] = failing) -> AsyncIterator[Link]:
    """A link to call what fails, or another."""
    streams = await pair()
    caller = Link(streams[0])
    try:
        async with running(caller, Link(streams[1], accept)):
            yield caller
    finally:
        for stream in streams:
            stream.abort()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        ((files.WISH, 1), grpc.Code.INVALID_ARGUMENT), ((files.DATA, 0), grpc.Code.INVALID_ARGUMENT),
        ((files.FAILED, 0), grpc.Code.ABORTED), ((files.END, 0), grpc.Code.OK),
    ],
)  # fmt: skip
async def test_files_that_are_not_taken_are_no_success(packet: tuple[int, int], code: grpc.Code) -> None:
    kind, number = (protobuf.of(at, value) for at, value in zip((1, 3), packet, strict=True))
    async with calling(lambda near: files.hand_on(near, [entry("Dockerfile", b"FROM x")])) as link:
        call = await link.call(HEADERS)
        await call.write(grpc.framed(protobuf.render([kind, number])))
        await call.end()
        while await call.read():
            pass
        assert dict(call.trailers)["grpc-status"] == str(code)


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
    assert (status["grpc-status"], unquote(status["grpc-message"])) == (str(grpc.Code.PERMISSION_DENIED), WHY)


def entry(path: str, data: bytes = b"", link: str = "") -> files.Entry:
    """A file as a client lists it; with a link the engine has another file's content under this name."""
    stat = [protobuf.of(1, path), *([protobuf.of(7, link)] if link else [])]
    return files.Entry(stat=stat, path=path, regular=True, data=data)


async def upper(content: bytes) -> bytes:
    return content.upper()


async def test_what_can_be_the_dockerfile_is_judged_and_a_list_of_what_stays_out_is_not() -> None:
    handed = await files.judged([entry("Dockerfile", b"from x"), entry("Dockerfile.dockerignore", b"secret")], upper)
    assert [each.data for each in handed] == [b"FROM X", b"secret"]


@pytest.mark.parametrize("link", ["x.dockerignore", "./x.dockerignore/.", "a/.dockerignore", ".dockerignore/"])
async def test_d23_no_other_name_leads_to_what_is_not_judged(link: str) -> None:
    with pytest.raises(RefusedError, match="link"):
        await files.judged([entry("Dockerfile", link=link), entry("x.dockerignore", b"FROM alice/private")], upper)
