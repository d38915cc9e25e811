"""Calls of BuildKit's API are on the record one by one, however old their connection is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from structlog.testing import capture_logs

from ds01.domain.dockerpolicy import query
from ds01.domain.dockerpolicy.protobuf import of as of_field
from ds01.domain.dockerpolicy.protobuf import of_mapping, render
from ds01.domain.dockerpolicy.session import SYNC
from ds01.domain.dockerpolicy.verdict import MORE, RefusedError
from ds01.gateway.audit import Audit
from ds01.gateway.call import Call, Gate
from ds01.gateway.door import Door
from ds01.gateway.engine import EngineFacts
from ds01.gateway.h2 import grpc
from ds01.gateway.h2.grpc import Method
from ds01.gateway.h2.link import Call as LinkCall
from ds01.gateway.h2.link import CallLostError, Headers, Link
from ds01.gateway.handlers.grpc_api import ASKING_BYTES, BRIDGE, BUILD_ID, CONTROL, TRACES, Talk
from ds01.gateway.handlers.session import serve
from ds01.gateway.http import parse_request
from ds01.gateway.registry import Registry
from ds01.gateway.sessions import Session
from ds01.gateway.shares import MIB
from ds01.gateway.stream import Stream
from ds01.gateway.table import TABLE
from ds01.gateway.upstream import Upstream
from ds01.wire.door import DoorAudit, DoorBuild, DoorBuildGrant, DoorImage, DoorTicket, DoorUser
from tests.unit.gateway.h2.test_link import pair, running

DOOR = Door("/nowhere")
HEAD = b"POST /grpc HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c"


@asynccontextmanager
async def talking(
    audit: Audit,
    door: Door = DOOR,
    answer: Callable[[LinkCall], Coroutine[Any, Any, None]] | None = None,
    most: int = 32 * MIB,
) -> AsyncIterator[Link]:
    """A client's side of a connection whose ds01d is not there, with one session; its engine never answers, if nobody
    says how. ``most`` is how much of her messages is held.
    """
    (client, gateway), (outward, engine) = await pair(), await pair()
    call = of(gateway, audit, door)
    held = call.gate.unfinished
    held.own = replace(held.own, size=most)
    for stream in (gateway, outward):
        stream.belongs_to(call.owner)
    far, caller = Link(outward), Link(client)
    behind = [] if answer is None else [Link(engine, answer)]
    try:
        with call.gate.sessions.opened(call.user, "s" * 25):
            async with running(far, Link(gateway, Talk(call, far).accept), caller, *behind):
                yield caller
    finally:
        for stream in (client, gateway, outward, engine):
            stream.abort()


def of(client: Stream, audit: Audit, door: Door) -> Call:
    """The request that such a connection began with."""
    upstream = Upstream("/nowhere", "the engine")
    route, names = TABLE.find("POST", "/grpc")
    gate = Gate(engine=upstream, door=door, registry=Registry(door), audit=audit, facts=EngineFacts(upstream, door))
    return Call(
        gate=gate, client=client, user=DoorUser(uid=1002, gid=1002, login="mallory", admin=False),
        head=parse_request(HEAD), route=route, path="/grpc", names=names, query=query.judge("", route.query),
        version=(1, 41),
    )  # fmt: skip


def asking(path: str) -> Headers:
    return grpc.request(Method(path=path, metadata=[]), keep=lambda _: True)


async def said(link: Link, headers: Headers) -> str:
    """The status of a call without a message."""
    call = await link.call(headers)
    await call.end()
    while await call.read():
        pass
    return {**dict(call.headers), **dict(call.trailers)}["grpc-status"]


async def test_p14_calls_that_cannot_be_read_are_on_the_record_and_traces_are_not() -> None:
    audit = Audit(Door("/nowhere"))
    with capture_logs() as logs:
        async with talking(audit) as link:
            assert await said(
                link, [("content-type", "x") if n == "content-type" else (n, v) for n, v in asking("/a/b")]
            )
            assert await said(link, asking(TRACES)) == "12"
        audit.put_down()
    assert [(line["outcome"], line["rule"]) for line in logs if line["event"] == "request"] == [("denied", "grpc.call")]


async def test_d16_no_build_begins_that_cannot_be_recorded() -> None:
    audit = Audit(Door("/nowhere"))
    audit.record(DoorAudit(uid=1, method="GET", path="/", subject="", outcome="denied", rule="x"))
    await audit.flush()
    with capture_logs() as logs:
        async with talking(audit) as link:
            assert await said(link, asking(f"{CONTROL}Solve")) == str(grpc.Code.UNAVAILABLE)
        audit.put_down()
    assert [line["rule"] for line in logs if line["event"] == "request"] == ["audit.failing"]


async def test_p17_messages_are_held_until_their_calls_are_over() -> None:
    """Each waits for a session that does not come."""
    option = of_mapping(7, {"build-arg:A": "x" * 30_000})
    asked = [of_field(5, "t" * 25), of_field(6, "dockerfile.v0"), *option]
    async with talking(Audit(Door("/nowhere")), most=50_000) as link, asyncio.timeout(30):
        for number in range(2):
            call = await link.call(asking(f"{CONTROL}Solve"))
            with contextlib.suppress(CallLostError):
                await call.write(grpc.framed(render([of_field(1, f"ref4567{number}"), *asked])))
                await call.end()
        assert dict(await call.answered())["grpc-status"] == str(grpc.Code.RESOURCE_EXHAUSTED)


@pytest.mark.parametrize("name", ["Status", "Prune", "DiskUsage"])
async def test_p17_what_asks_little_is_short(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_: Talk) -> frozenset[str]:
        return frozenset()

    monkeypatch.setattr(Talk, "_cache", nothing)
    async with talking(Audit(Door("/nowhere"))) as link, asyncio.timeout(30):
        call = await link.call(asking(f"{CONTROL}{name}"))
        await call.write(b"\0" + (ASKING_BYTES + 1).to_bytes(4, "big"))
        found = dict(await call.answered())
    assert found["grpc-status"] == str(grpc.Code.RESOURCE_EXHAUSTED)
    assert f"larger than {ASKING_BYTES} bytes" in unquote(found["grpc-message"])


async def test_p17_messages_without_their_ends_are_a_few() -> None:
    begun = b"\0" + (40_000).to_bytes(4, "big") + bytes(30_000)
    async with talking(Audit(Door("/nowhere")), most=50_000) as link, asyncio.timeout(30):
        first = await link.call(asking(f"{CONTROL}Solve"))
        await first.write(begun)
        for _ in range(2):
            more = await link.call(asking(f"{CONTROL}Solve"))
            with contextlib.suppress(CallLostError):
                await more.write(begun)
            assert dict(await more.answered())["grpc-status"] == str(grpc.Code.RESOURCE_EXHAUSTED)
        await first.write(bytes(10_000))
        await first.end()
        assert dict(await first.answered())["grpc-status"] != str(grpc.Code.RESOURCE_EXHAUSTED)
        another = await link.call(asking(f"{CONTROL}Solve"))
        await another.write(begun + bytes(10_000))
        await another.end()
        assert dict(await another.answered())["grpc-status"] != str(grpc.Code.RESOURCE_EXHAUSTED)


async def test_p14_a_prune_is_on_the_record_though_its_client_leaves() -> None:
    class OneRecord(Door):
        async def cache(self, uid: int) -> frozenset[str]:
            return frozenset({"abc"})

    audit = Audit(DOOR)
    with capture_logs() as logs:
        async with talking(audit, OneRecord("/nowhere")) as link:
            call = await link.call(asking(f"{CONTROL}Prune"))
            await call.write(grpc.framed(b""))
            await call.end()
            async with asyncio.timeout(30):
                while not any(line["event"] == "request" for line in logs):
                    await asyncio.sleep(0.01)
    assert [(line["outcome"], line["rule"]) for line in logs if line["event"] == "request"] == [
        ("allowed", "grpc.prune")
    ]


class Grants(Door):
    """A ds01d that grants every build; nothing comes of them."""

    async def build(self, ask: DoorBuild) -> DoorBuildGrant:
        return DoorBuildGrant(ticket="t", labels={}, cgroup_parent="", network="", cpu_period_us=0, cpu_quota_us=0,
                              memory_bytes=0, swap_bytes=0, shm_bytes=0, step_host="ds01-u1002")  # fmt: skip

    async def built(self, ask: DoorTicket) -> tuple[DoorImage, ...]:
        return ()


SOLVE = render([of_field(1, "ref45678"), of_field(5, "s" * 25), of_field(6, "dockerfile.v0")])


async def solving(caller: Link) -> LinkCall:
    """A build that was asked for."""
    call = await caller.call(asking(f"{CONTROL}Solve"))
    await call.write(grpc.framed(SOLVE))
    await call.end()
    return call


async def test_a_build_goes_on_though_another_of_its_id_is_refused() -> None:
    began = asyncio.Event()

    async def solves_for_ever(call: LinkCall) -> None:
        if dict(call.headers)[":path"] == f"{CONTROL}Solve":
            began.set()
            await asyncio.Event().wait()
        await call.send_headers([*grpc.ANSWER, *grpc.DONE], end=True)

    async with asyncio.timeout(60), talking(Audit(DOOR), Grants("/nowhere"), solves_for_ever) as caller:
        await solving(caller)
        await began.wait()
        second = await solving(caller)
        while await second.read():
            pass
        assert dict(second.headers)["grpc-status"] == str(grpc.Code.ALREADY_EXISTS)
        assert await said(caller, [*asking(f"{BRIDGE}Ping"), (BUILD_ID, "ref45678")]) == str(grpc.Code.OK)


async def test_e33_a_build_of_what_may_not_stay_is_on_the_record() -> None:
    class Heavy(Grants):
        async def built(self, ask: DoorTicket) -> tuple[DoorImage, ...]:
            raise RefusedError("image.heavy", "The image was taken away again", status=400)

    async def done(call: LinkCall) -> None:
        await call.send_headers(grpc.ANSWER)
        await call.send_headers(grpc.DONE, end=True)

    audit = Audit(DOOR)
    with capture_logs() as logs:
        async with talking(audit, Heavy("/nowhere"), done) as caller:
            call = await solving(caller)
            while await call.read():
                pass
        audit.put_down()
    assert MORE in unquote(dict(call.trailers)["grpc-message"])
    assert [(line["outcome"], line["rule"]) for line in logs if line["event"] == "request"] == [
        ("allowed", "grpc.solve"), ("denied", "image.heavy"),
    ]  # fmt: skip


async def test_what_a_build_asks_for_and_does_not_get_is_on_the_record() -> None:
    async def done(call: LinkCall) -> None:
        await call.send_headers(grpc.ANSWER)
        if dict(call.headers)[":path"] == f"{CONTROL}Solve":
            await began.wait()
        await call.send_headers(grpc.DONE, end=True)

    began, audit = asyncio.Event(), Audit(DOOR)
    asked = [of_field(1, "ref45678"), of_field(5, "s" * 25), *of_mapping(7, {"shm-size": "1"})]
    then = render([of_field(2, "dockerfile.v0"), *of_mapping(3, {"ulimit": "nofile=9:9"})])
    with capture_logs() as logs:
        async with asyncio.timeout(60), talking(audit, Grants("/nowhere"), done) as caller:
            first = await caller.call(asking(f"{CONTROL}Solve"))
            await first.write(grpc.framed(render(asked)))
            await first.end()
            second = await caller.call([*asking(f"{BRIDGE}Solve"), (BUILD_ID, "ref45678")])
            await second.write(grpc.framed(then))
            await second.end()
            while await second.read():
                pass
            began.set()
            while await first.read():
                pass
        audit.put_down()
    assert [(line["path"], line["rule"], line["changes"]) for line in logs if line["event"] == "request"] == [
        (f"{CONTROL}Solve", "grpc.solve", ["build.option: shm-size left out"]),
        (f"{BRIDGE}Solve", "grpc.solve", ["build.option: ulimit left out"]),
    ]


async def test_p14_what_the_engine_may_not_ask_in_a_session_is_on_the_record() -> None:
    (client, gateway), (outward, engine) = await pair(), await pair()
    opened, caller, audit = Session(id="s", account="1002:0"), Link(engine), Audit(DOOR)
    with capture_logs() as logs:
        served = asyncio.create_task(serve(of(gateway, audit, DOOR), gateway, outward, opened))
        async with running(caller):
            assert await said(caller, asking("/moby.filesync.v1.FileSync/TarStream")) == "12"
            assert await said(caller, [*asking(SYNC), ("dir-name", "dockerfile")]) == "7"
        for stream in (client, engine):
            stream.abort()
        await served
        audit.put_down()
    assert [(line["outcome"], line["rule"], line["path"]) for line in logs if line["event"] == "request"] == [
        ("denied", "session.call", "/moby.filesync.v1.FileSync/TarStream"), ("denied", "session.call", SYNC),
    ]  # fmt: skip
