"""What is held for one user over all her connections: a bounded number of bytes, and none of it stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import buffers, stream
from ds01.gateway.buffers import Buffers, Total
from ds01.gateway.call import TIMES
from ds01.gateway.h2 import grpc
from ds01.gateway.h2.grpc import ANSWER
from ds01.gateway.h2.link import Call, Link
from ds01.gateway.owner import Owner, Owners
from ds01.gateway.shares import long_bodies
from ds01.gateway.stream import READ_LIMIT, SPARING_LIMIT, WRITE_LIMIT, Stream
from tests.unit.gateway.farm import MINE, UID, Farm, farm, plain
from tests.unit.gateway.h2.test_link import HEADERS, between, pair, running

MIB = 1024 * 1024
KERNEL = 512 * 1024
"""More than a socket holds."""


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        yield made


@pytest.fixture
async def sides() -> AsyncIterator[tuple[Stream, Stream]]:
    """A user's own side of a connection, and the gateway's."""
    user, client = await pair()
    yield user, client
    user.abort()
    client.abort()


def one() -> Owner:
    return Owners().of(UID)


def test_a_connection_belongs_to_one_user() -> None:
    hers, his, client = one(), one(), Stream()
    client.belongs_to(hers)
    client.belongs_to(hers)
    for other in (his, None):
        with pytest.raises(AssertionError, match="belongs to somebody already"):
            client.belongs_to(other)
    client._holds(1)
    assert (hers.buffers.held, his.buffers.held) == (1, 0)


def test_a_connection_may_be_nobodys_until_it_is_somebodys() -> None:
    hers, client = one(), Stream()
    client.belongs_to(None)
    client._holds(1)
    client.belongs_to(hers)
    assert hers.buffers.held == 1


async def sent_ahead(user: Stream, client: Stream) -> int:
    """How much the gateway holds when all that it takes was sent."""
    user.transport.write(b"x" * 4 * MIB)
    before = -1
    while before != client._held:
        before = client._held
        await asyncio.sleep(0.02)
    return before


async def test_who_holds_little_may_send_ahead(sides: tuple[Stream, Stream]) -> None:
    hers = one()
    sides[1].belongs_to(hers)
    assert READ_LIMIT <= await sent_ahead(*sides) == hers.buffers.held < READ_LIMIT + KERNEL


async def test_of_who_holds_much_little_is_read_ahead(
    sides: tuple[Stream, Stream], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(buffers, "OWN_BYTES", 0)
    sides[1].belongs_to(one())
    assert SPARING_LIMIT <= await sent_ahead(*sides) < SPARING_LIMIT + KERNEL


@pytest.mark.parametrize("own", [0, MIB])
async def test_all_of_it_comes_when_it_is_read(
    sides: tuple[Stream, Stream], monkeypatch: pytest.MonkeyPatch, own: int
) -> None:  # fmt: skip
    monkeypatch.setattr(buffers, "OWN_BYTES", own)
    user, client = sides
    hers = one()
    client.belongs_to(hers)
    await sent_ahead(user, client)
    found = 0
    async with asyncio.timeout(60):
        while found < 4 * MIB:
            found += len(await client.read())
    assert (found, hers.buffers.held) == (4 * MIB, 0)


async def test_the_connection_that_brings_far_too_much_is_closed(
    sides: tuple[Stream, Stream], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(buffers, "MOST_BYTES", MIB // 2)
    user, client = sides
    hers = one()
    client.belongs_to(hers)
    user.transport.write(b"x" * 4 * MIB)
    async with asyncio.timeout(60):
        await user.left
        await client.left
    assert hers.buffers.held == 0


@pytest.mark.parametrize("end", [Stream.abort, Stream.close])
async def test_nothing_is_held_of_a_connection_that_is_over(sides: tuple[Stream, Stream], end: object) -> None:
    user, client = sides
    hers = one()
    client.belongs_to(hers)
    await sent_ahead(user, client)
    client.transport.write(b"y" * (WRITE_LIMIT + KERNEL))
    await asyncio.sleep(0)
    assert hers.buffers.held > READ_LIMIT + WRITE_LIMIT
    end(client)  # type: ignore[operator]
    user.abort()
    async with asyncio.timeout(60):
        await client.left
    assert hers.buffers.held == 0


async def test_what_is_not_taken_is_counted_until_it_is(sides: tuple[Stream, Stream]) -> None:
    user, client = sides
    hers = one()
    client.belongs_to(hers)
    user.hold()
    sending = asyncio.create_task(client.write(b"y" * 4 * MIB))
    await asyncio.sleep(0.02)
    assert hers.buffers.held > 2 * MIB
    user.go_on()
    async with asyncio.timeout(60):
        found = 0
        while found < 4 * MIB:
            found += len(await user.read())
        await sending
    assert hers.buffers.held == 0


async def test_what_is_sent_on_while_it_is_behind_is_counted_too(sides: tuple[Stream, Stream]) -> None:
    user, client = sides
    hers = one()
    client.belongs_to(hers)
    user.hold()
    for _ in range(4):
        client.send_on(b"y" * MIB)
        await asyncio.sleep(0.02)
    assert hers.buffers.held > 4 * MIB - KERNEL


async def test_many_small_pieces_are_kept_as_few(sides: tuple[Stream, Stream]) -> None:
    user, client = sides
    for number in range(1000):
        client.data_received(b"%03d" % number)
    assert len(client._chunks) == 1
    assert await client.read() == b"".join(b"%03d" % number for number in range(1000))
    del user


async def test_what_calls_hold_is_counted_until_they_are_read_or_over() -> None:
    (client, gateway), hers, calls = await pair(), one(), list[Call]()

    async def waits(call: Call) -> None:
        calls.append(call)
        await asyncio.Event().wait()

    gateway.belongs_to(hers)
    caller = Link(client)
    async with running(caller, Link(gateway, waits)), asyncio.timeout(10):
        for _ in range(2):
            await (await caller.call(HEADERS)).write(b"x" * 100_000)
        while hers.buffers.held < 200_000:
            await asyncio.sleep(0.01)
        assert await calls[0].read() == b"x" * 100_000
        assert hers.buffers.held == 100_000
    assert hers.buffers.held == 0
    client.abort()
    gateway.abort()
    await asyncio.sleep(0)


async def holds(hers: Owner, least: int) -> None:
    """Wait until so much is held of hers, or nothing where ``least`` is 0."""
    while hers.buffers.held < least or (hers.buffers.held and not least):
        await asyncio.sleep(0.01)


async def test_what_a_call_has_to_send_is_counted_until_it_is_sent(sides: tuple[Stream, Stream]) -> None:
    async def answers(call: Call) -> None:
        await call.send_headers(ANSWER)
        await call.write(b"y" * MIB)
        await call.send_headers(grpc.DONE, end=True)

    hers, found = one(), 0
    sides[1].belongs_to(hers)
    caller = Link(sides[0])
    async with asyncio.timeout(10), running(caller, Link(sides[1], answers)):
        call = await caller.call(HEADERS)
        await holds(hers, MIB)
        while found < MIB:
            found += len(await call.read())
        await holds(hers, 0)


async def answers_long(call: Call) -> None:
    """An answer that is longer than what a client that reads nothing takes."""
    await call.send_headers(ANSWER)
    await call.write(grpc.framed(b"y" * MIB))
    await call.send_headers(grpc.DONE, end=True)


async def test_a_rewritten_answer_is_counted_until_it_is_read() -> None:
    hers = one()
    async with asyncio.timeout(10), between(answers_long, view=bytes.upper, owner=hers) as link:
        call = await link.call(HEADERS)
        await call.end()
        await holds(hers, 2 * MIB)  # as it came, and as it is sent
        assert [message async for message in grpc.messages(call)] == [b"Y" * MIB]
        assert hers.buffers.held == 0


async def reset(call: Call, link: Link) -> None:
    del link
    await call.give_up()


async def abort(call: Call, link: Link) -> None:
    del call
    link._stream.abort()


@pytest.mark.parametrize("end", [reset, abort])
async def test_a_rewritten_answer_that_nobody_will_read_is_not_counted(
    end: Callable[[Call, Link], Awaitable[None]],
) -> None:  # fmt: skip
    hers = one()
    async with asyncio.timeout(10), between(answers_long, view=bytes.upper, owner=hers) as link:
        call = await link.call(HEADERS)
        await call.end()
        await holds(hers, 2 * MIB)
        await end(call, link)
        await holds(hers, 0)


async def test_of_an_answer_that_is_rewritten_the_beginning_is_counted() -> None:
    hers, rest = one(), asyncio.Event()

    async def begins(call: Call) -> None:
        await call.send_headers(ANSWER)
        data = grpc.framed(b"y" * 2 * MIB)
        await call.write(data[:MIB])
        await rest.wait()
        await call.write(data[MIB:])
        await call.send_headers(grpc.DONE, end=True)

    async with asyncio.timeout(10), between(begins, view=bytes.upper, owner=hers) as link:
        call = await link.call(HEADERS)
        await call.end()
        await holds(hers, MIB)
        rest.set()
        assert [len(message) async for message in grpc.messages(call)] == [2 * MIB]
        assert hers.buffers.held == 0


async def test_the_connection_with_far_too_many_rewritten_answers_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "MOST_BYTES", 3 * MIB)
    hers = one()
    async with asyncio.timeout(10), between(answers_long, view=bytes.upper, owner=hers) as link:
        for _ in range(2):
            call = await link.call(HEADERS)
            await call.end()
        await link._stream.gone
        await holds(hers, 0)


def test_while_all_hold_very_much_nobody_who_holds_much_may_hold_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "ALL_BYTES", buffers.OWN_BYTES + 100)
    every = Total()
    hers, his = Buffers(1, every), Buffers(2, every)
    assert hers.add(buffers.OWN_BYTES + 50)
    assert his.add(60)
    assert not hers.add(1)
    assert his.add(1)
    hers.remove(buffers.OWN_BYTES + 51)
    assert his.add(buffers.OWN_BYTES)
    assert (hers.held, his.held, every.held) == (0, buffers.OWN_BYTES + 61, buffers.OWN_BYTES + 61)


LOGS = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n" + b"l" * 4 * MIB


async def test_logs_that_are_not_read_hold_no_more_than_that(place: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "OWN_BYTES", MIB)
    monkeypatch.setattr(buffers, "MOST_BYTES", 3 * MIB)
    place.engine.answers["/logs"] = LOGS
    seen, held = 0, place.owners.of(UID).buffers
    writers = []
    for _ in range(30):
        _, writer = await asyncio.open_unix_connection(place.socket, limit=2)
        writer.write(f"GET /v1.41/containers/{MINE}/logs?stdout=1 HTTP/1.1\r\nHost: d\r\n\r\n".encode())
        writer.write(b"x" * MIB)
        writers.append(writer)
        await asyncio.sleep(0.02)
        seen = max(seen, held.held)
    assert MIB < seen < 3 * MIB + KERNEL
    place.engine.answers["/json"] = plain(404, b"{}")
    assert (await place.get("/v1.41/containers/nobody/json"))[0] == 404
    for writer in writers:
        writer.transport.abort()


def lacking(length: int, name: str = "x") -> bytes:
    head = f"POST /v1.41/containers/create?name={name} HTTP/1.1\r\nHost: d\r\nContent-Length: {length}\r\n\r\n"
    return head.encode() + b" " * (length - 1)


def with_less_memory(place: Farm) -> None:
    bodies = place.gate.long_bodies
    bodies.own = replace(bodies.own, size=MIB)


async def test_of_long_bodies_that_lack_a_byte_a_user_has_so_many(place: Farm) -> None:
    with_less_memory(place)
    size, writers, answers = 32 * 1024, [], []
    for _ in range(6):
        reader, writer = await asyncio.open_unix_connection(place.socket)
        writer.write(lacking(size))
        writers.append(writer)
        try:
            async with asyncio.timeout(0.2):
                answers.append(await reader.readline())
        except TimeoutError:
            answers.append(b"")
    fits = MIB // (size * TIMES)
    assert answers[:fits] == [b""] * fits
    assert set(answers[fits:]) == {b"HTTP/1.1 429 Too Many Requests\r\n"}
    for writer in writers:
        writer.transport.abort()


async def test_when_they_are_over_she_has_as_many_again(place: Farm) -> None:
    with_less_memory(place)
    for _ in range(6):
        status, _ = await place.ask("POST", "/v1.41/containers/create", {"Image": "x" * 100_000})
        assert status == 400
    status, said = await place.ask("POST", "/v1.41/containers/create", {"Image": "x" * 140_000})
    assert (status, "body.many" in said["message"]) == (429, True)


def test_long_requests_of_all_together() -> None:
    held = long_bodies()
    held.every = replace(held.every, size=held.own.size)
    held.take(1, held.own.size)
    with pytest.raises(RefusedError, match="So many long requests"):
        held.take(2, 1)
    held.give_back(1, held.own.size)
    held.take(2, 1)


async def test_whether_an_answers_head_was_read_is_looked_at_a_few_times(
    sides: tuple[Stream, Stream], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    looks, unread = 0, stream._unread

    def looked(descriptor: int) -> int:
        nonlocal looks
        looks += 1
        return unread(descriptor)

    monkeypatch.setattr(stream, "_unread", looked)
    user, client = sides
    user.hold()
    await client.write(b"head")
    await client.taken()
    assert 0 < looks < 40
