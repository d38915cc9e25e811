"""One user's thousand connections are served one after another, and others in between."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ds01.domain.dockerpolicy import strictjson
from ds01.gateway import aside, call, flow, owner
from ds01.gateway.audit import Audit
from ds01.gateway.h2 import grpc
from ds01.gateway.h2.frames import AT_ONCE
from ds01.gateway.h2.link import Call, Link
from ds01.gateway.handlers.grpc_api import CONTROL, Talk
from ds01.gateway.http import AnswerHead, Framing
from ds01.gateway.serve import Server
from ds01.gateway.stream import JOINED_BYTES, Bytes, Stream
from ds01.gateway.turns import Turns
from ds01.gateway.upstream import Ask, Exchange
from tests.unit.gateway.farm import Farm, as_json, farm, plain
from tests.unit.gateway.h2.test_link import pair, running
from tests.unit.gateway.test_grpc_record import DOOR, asking, talking

MANY = 100
PING = b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n"
CREATE = "/v1.41/containers/create"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        yield made


def waiting() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def rounds(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_one_goes_on_at_once_and_the_others_in_their_order() -> None:
    turns, first, second, third = Turns(), waiting(), waiting(), waiting()
    for one in (first, second, third):
        turns.wake(one)
    assert [first.done(), second.done(), third.done()] == [True, False, False]
    await rounds(1)
    assert [second.done(), third.done()] == [True, False]
    await rounds(1)
    assert third.done()


async def test_others_do_not_wait_for_them() -> None:
    hers, his = Turns(), Turns()
    ready = waiting()
    for _ in range(MANY):
        hers.wake(waiting())
    his.wake(ready)
    assert ready.done()


async def test_who_does_not_wait_any_more_takes_no_turn() -> None:
    turns, left, there = Turns(), waiting(), waiting()
    for one in (waiting(), left, there):
        turns.wake(one)
    left.cancel()
    await rounds(1)
    assert there.done()


async def test_after_a_quiet_turn_nothing_waits() -> None:
    turns, late = Turns(), waiting()
    turns.wake(waiting())
    await rounds(2)
    turns.wake(late)
    assert late.done()


async def test_the_next_turn_is_behind_what_waits() -> None:
    turns, before = Turns(), waiting()
    turns.wake(waiting())
    turns.wake(before)
    async with asyncio.timeout(10):
        await turns.next()
        assert before.done()
        await rounds(2)
        await turns.next()


def in_each_turn(monkeypatch: pytest.MonkeyPatch, of: type, name: str) -> Counter[int]:
    """How often it is called in each turn of the loop."""
    found, called = Counter[int](), getattr(of, name)
    now = 0

    def went_round() -> None:
        nonlocal now
        now += 1

    async def counted(*args: Any, **kwargs: Any) -> Any:
        found[now] += 1
        asyncio.get_running_loop().call_soon(went_round)
        return await called(*args, **kwargs)

    monkeypatch.setattr(of, name, counted)
    return found


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How many requests were judged in each turn of the loop."""
    return in_each_turn(monkeypatch, Server, "_judged")


@pytest.mark.parametrize("together", [1, 3])
async def test_of_many_connections_one_request_in_each_turn(place: Farm, begun: Counter[int], together: int) -> None:
    place.engine.answers["/_ping"] = plain(200, b"OK")
    connections = [await asyncio.open_unix_connection(place.socket) for _ in range(MANY)]
    for _, writer in connections:
        writer.write(PING * together)
    async with asyncio.timeout(60):
        for reader, _ in connections:
            for _ in range(together):
                await reader.readuntil(b"\r\n\r\nOK")
    assert (begun.total(), max(begun.values())) == (MANY * together, 1)
    for _, writer in connections:
        writer.transport.abort()


async def test_of_many_calls_of_buildkits_one_message_in_each_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are complete at once."""

    async def nothing(_: Talk) -> frozenset[str]:
        return frozenset()

    monkeypatch.setattr(Talk, "_cache", nothing)
    found, number = in_each_turn(monkeypatch, Talk, "_again"), AT_ONCE - 2
    async with asyncio.timeout(30), talking(Audit(DOOR)) as link:
        calls = [await link.call(asking(f"{CONTROL}DiskUsage")) for _ in range(number)]
        for each in calls:
            await each.write(grpc.framed(b""))
        await asyncio.sleep(0.05)
        for each in calls:
            await each.end()
        while found.total() < number:
            await asyncio.sleep(0.01)
    assert max(found.values()) == 1


OPENING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
FRAME = (2 * JOINED_BYTES).to_bytes(3, "big") + b"\xbb\0\0\0\0\0" + bytes(2 * JOINED_BYTES)
"""One that comes as a piece of its own."""


async def never(_: Call) -> None:
    """No call is made."""


async def test_of_frames_that_lie_there_one_users_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    one, pairs, each = owner.Owners().of(1), [await pair(), await pair()], 10
    for _, gateway in pairs:
        gateway.belongs_to(one)
    found = in_each_turn(monkeypatch, Link, "_taken_in")
    try:
        async with asyncio.timeout(30), running(*(Link(gateway, never) for _, gateway in pairs)):
            await asyncio.sleep(0.05)
            for _, gateway in pairs:
                for data in (OPENING, *[FRAME] * each):
                    gateway.data_received(data)
            while found.total() < 2 * (each + 1):
                await asyncio.sleep(0.01)
    finally:
        for stream in [*pairs[0], *pairs[1]]:
            stream.abort()
    assert max(found.values()) == 1


async def test_what_waits_for_its_turn_has_come_in_time() -> None:
    user, client = await pair()
    one = owner.Owners().of(1)
    client.belongs_to(one)
    reading = asyncio.create_task(client.read(0.05))
    await rounds(1)
    one.turns._taken = True
    user.transport.write(b"here")
    async with asyncio.timeout(10):
        await asyncio.sleep(0.1)
        one.turns._over()
        assert await reading == b"here"
    user.abort()
    client.abort()


@asynccontextmanager
async def judging(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[int]]:
    """How many bodies were being judged beside the loop, each time one began."""
    found, going, lock, parse = list[int](), 0, threading.Lock(), strictjson.parse_object

    def slowly(data: bytes) -> Any:
        nonlocal going
        assert threading.current_thread() is not threading.main_thread()
        with lock:
            going += 1
            found.append(going)
        threading.Event().wait(0.02)
        with lock:
            going -= 1
        return parse(data)

    monkeypatch.setattr(strictjson, "parse_object", slowly)
    yield found


async def test_long_bodies_are_judged_beside_the_loop_a_few_of_each_user(
    place: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    body = {"Image": "x", "Env": [f"A{number}={'x' * 100}" for number in range(call.LONG_BYTES // 100)]}
    async with judging(monkeypatch) as found:
        answers = await asyncio.gather(*(place.ask("POST", CREATE, body) for _ in range(8)))
    assert {status for status, _ in answers} == {404}
    assert (len(found), max(found)) == (8, owner.ASIDE_AT_ONCE)


async def test_who_goes_away_frees_no_thread_that_still_judges() -> None:
    one, over, lock = owner.Owners().of(1), threading.Event(), threading.Lock()
    begun = 0

    def judge() -> None:
        nonlocal begun
        with lock:
            begun += 1
        over.wait(30)

    try:
        for _ in range(5):
            judging = asyncio.create_task(aside.judged(one, aside.SHORT + 1, judge))
            await asyncio.sleep(0.02)
            judging.cancel()
            await asyncio.gather(judging, return_exceptions=True)
        assert begun == owner.ASIDE_AT_ONCE
    finally:
        over.set()
    async with asyncio.timeout(10):
        await aside.judged(one, aside.SHORT + 1, judge)
    assert begun == owner.ASIDE_AT_ONCE + 1


async def test_who_waits_for_the_ends_of_many_connections_hears_of_one_in_each_turn() -> None:
    one, streams = owner.Owners().of(1), [Stream() for _ in range(MANY)]
    for each in streams:
        each.belongs_to(one)
    ends = [each.gone for each in streams]
    for each in streams:
        each._end()
    assert sum(end.done() for end in ends) == 1
    await rounds(MANY)
    assert all(end.done() for end in ends)


async def test_of_lines_that_lie_there_one_read_goes_on_in_each_turn() -> None:
    """None of them passes, so nothing is written that would wait."""
    one, stream, each = owner.Owners().of(1), Stream(), 10
    stream.belongs_to(one)
    exchange = Exchange(stream, Ask(method="GET", target="/events"), "the engine")
    exchange.head = AnswerHead(status=200, headers={}, framing=Framing(until_close=True))
    for _ in range(each):
        stream.data_received(b"a line of others\n" * JOINED_BYTES)
    stream._end()
    read, turns = Counter[int](), iter(range(MANY))
    now = next(turns)

    def went_round() -> None:
        nonlocal now
        now = next(turns)
        asyncio.get_running_loop().call_soon(went_round)

    def dropped(_: bytes) -> bytes:
        read[now] += 1
        return b""

    async def written(parts: Sequence[Bytes]) -> None:
        assert not parts

    asyncio.get_running_loop().call_soon(went_round)
    asking = cast(call.Call, SimpleNamespace(client=SimpleNamespace(write_many=written)))
    await stream.turn()
    await flow._lines(asking, exchange, dropped)
    assert set(read.values()) == {JOINED_BYTES}
    assert len(read) == each


async def test_short_bodies_are_judged_at_once(place: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> Any:
        pytest.fail("a thread for a few bytes")

    monkeypatch.setattr(asyncio, "to_thread", never)
    place.engine.answers["/containers/create"] = as_json({})
    assert (await place.ask("POST", CREATE, {"Image": "x"}))[0] == 404
