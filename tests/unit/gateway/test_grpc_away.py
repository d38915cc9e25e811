"""Builds while ds01d or the engine is away: whoever builds is told so, and what to do."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

import pytest

from ds01.domain.dockerpolicy import protobuf
from ds01.domain.dockerpolicy.session import SYNC
from ds01.gateway.audit import Audit
from ds01.gateway.denied import AGAIN
from ds01.gateway.door import Door
from ds01.gateway.h2 import files, grpc
from ds01.gateway.h2.link import Call, Link
from ds01.gateway.handlers.grpc_api import CONTROL
from ds01.gateway.handlers.session import serve
from ds01.gateway.held import DoorDownError
from ds01.gateway.sessions import Session
from ds01.gateway.upstream import UpstreamError
from tests.unit.gateway.h2.test_files import entry
from tests.unit.gateway.h2.test_link import pair, running
from tests.unit.gateway.test_grpc_record import DOOR, asking, of, talking

AWAY = [
    (DoorDownError("silent"),
     f"DS01: ds01d does not answer, so nothing can be granted (ds01d.away). {AGAIN}"),
    (UpstreamError("the engine does not answer", status=504),
     f"DS01: The engine does not answer (engine.away). {AGAIN}"),
]  # fmt: skip


async def hands_on(near: Call) -> None:
    """A client with a Dockerfile."""
    await files.hand_on(near, [entry("Dockerfile", b"FROM x")])


@pytest.mark.parametrize(("error", "told"), AWAY, ids=("ds01d", "engine"))
async def test_why_no_dockerfile_comes_is_said(error: Exception, told: str) -> None:
    async def rewrite(_: bytes) -> bytes:
        raise error

    (client, gateway), (outward, engine) = await pair(), await pair()
    caller = Link(engine)
    opened = Session(id="s", account="1002:0", rewrite=rewrite)
    served = asyncio.create_task(serve(of(gateway, Audit(DOOR), DOOR), gateway, outward, opened))
    async with asyncio.timeout(60), running(caller, Link(client, hands_on)):
        call = await caller.call([*asking(SYNC), ("dir-name", "dockerfile")])
        packet = protobuf.fields(await anext(grpc.messages(call)))
        assert protobuf.text(packet, 4) == told
        await call.end()
        while await call.read():
            pass
        assert dict(call.trailers)["grpc-status"] == str(grpc.Code.UNAVAILABLE)
    for stream in (client, engine):
        stream.abort()
    await served


@pytest.mark.parametrize(("error", "told"), AWAY, ids=("ds01d", "engine"))
async def test_why_a_call_is_not_served_is_said(error: Exception, told: str) -> None:
    class Away(Door):
        async def cache(self, uid: int) -> frozenset[str]:
            raise error

    async with asyncio.timeout(60), talking(Audit(DOOR), Away("/nowhere")) as caller:
        call = await caller.call(asking(f"{CONTROL}DiskUsage"))
        await call.end()
        while await call.read():
            pass
    status = dict(call.headers)
    assert (status["grpc-status"], unquote(status["grpc-message"])) == (str(grpc.Code.UNAVAILABLE), told)
