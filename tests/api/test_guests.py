"""One user cannot take ds01d from the others: not by connections, not by long requests, not by slow ones."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket as sockets
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from fastapi import FastAPI

from ds01.api.app import with_world
from ds01.api.stream import WAITING, Client
from ds01.daemon import guests
from ds01.daemon.guests import CONNECTIONS, REQUEST_BYTES, REQUEST_SECONDS, Guests
from ds01.daemon.serve import Server
from ds01.domain.events import Event, EventType
from ds01.domain.people import Uid, User
from tests.server import SimServer

PING = b"GET /v1/ping HTTP/1.1\r\nHost: x\r\n\r\n"
NOBODY: frozenset[int] = frozenset()


@pytest.fixture
async def guarded(
    server: SimServer, myself: User, routes: FastAPI, request: pytest.FixtureRequest
) -> AsyncIterator[Path]:
    """The API on a socket where the caller is an ordinary user; a parameter is its patience in seconds."""
    app = with_world(routes, server.world, NOBODY)
    with tempfile.TemporaryDirectory(prefix="ds01", dir="/tmp") as folder:
        path = Path(folder, "ds01d.sock")
        patience = getattr(request, "param", REQUEST_SECONDS)
        guests_ = Guests(NOBODY, seconds=patience, unread_seconds=patience, clock=lambda: 0.0)
        serving = Server(app, path, guests_)
        task = asyncio.create_task(serving.listen())
        while not path.exists():
            await asyncio.sleep(0.01)
        yield path
        await app.state.streams.stop(1)
        serving.stop()
        await task


async def told(path: Path, *pieces: bytes) -> bytes:
    """The status line of the answer to these bytes, also when it comes before the last of them was taken."""
    return await asyncio.to_thread(_told, path, pieces)


def _told(path: Path, pieces: Sequence[bytes]) -> bytes:
    with sockets.socket(sockets.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                connection.sendall(piece)
        answer = b""
        while b"\r\n" not in answer and (more := connection.recv(4096)):
            answer += more
    return answer.partition(b"\r\n")[0]


async def test_d16_a_request_without_end_is_not_held(guarded: Path) -> None:
    body = b"POST /v1/launches/plan HTTP/1.1\r\nHost: x\r\nContent-Length: 900000000\r\n\r\n" + b" " * REQUEST_BYTES
    head = b"GET /v1/ping HTTP/1.1\r\nHost: x\r\nX: " + b"x" * REQUEST_BYTES
    assert await told(guarded, body) == b"HTTP/1.1 400 Bad Request"
    assert await told(guarded, head) == b"HTTP/1.1 400 Bad Request"
    assert await told(guarded, PING) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("guarded", [2], indirect=True)
async def test_p17_a_request_that_does_not_come_is_not_waited_for(guarded: Path) -> None:
    for begun in (b"", b"GET /v1/ping HT", b"POST /v1/launches HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{"):
        async with asyncio.timeout(60):
            assert await told(guarded, begun) == b"HTTP/1.1 400 Bad Request"
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_unix_connection(str(guarded))
        writer.write(b"GET /v1/events?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).strip() == b"HTTP/1.1 200 OK"
        await asyncio.sleep(2.5)
        assert not reader.at_eof(), "what is followed goes on"
        writer.close()


async def test_p17_nobody_has_all_connections(guarded: Path) -> None:
    mine = [await asyncio.open_unix_connection(str(guarded)) for _ in range(CONNECTIONS)]
    assert await told(guarded, PING) == b"HTTP/1.1 409 Conflict"
    for _, writer in mine:
        writer.close()
    async with asyncio.timeout(60):
        while await told(guarded, PING) != b"HTTP/1.1 200 OK":
            await asyncio.sleep(0.01)


def test_root_and_the_gateway_speak_for_many() -> None:
    guests = Guests(frozenset({0, 998}))
    assert all(guests.enter(uid) for uid in (0, 998) for _ in range(2 * CONNECTIONS))
    assert not guests.enter(None)
    assert all(guests.enter(1001) for _ in range(CONNECTIONS))
    assert not guests.enter(1001)
    assert guests.enter(1002)
    guests.leave(1001)
    assert guests.enter(1001)


async def test_a_client_that_does_not_read_stops_its_source() -> None:
    client = Client()
    for number in range(WAITING):
        client.say(number)
    waiting = asyncio.create_task(client.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    client.queue.get_nowait()
    client.took()
    await asyncio.wait_for(waiting, 60)


@pytest.mark.parametrize("guarded", [2], indirect=True)
async def test_d16_an_answer_that_nobody_reads_is_not_kept(server: SimServer, guarded: Path) -> None:
    """It would be in memory as long as its connection is open."""
    many = [
        Event(at=server.clock.now(), type=EventType.DOOR_DENIED, actor=Uid(os.getuid()), uid=Uid(os.getuid()),
              subject="x" * 1000)
        for _ in range(1000)
    ]  # fmt: skip
    await server.ledger.write(lambda books: [books.record(event) for event in many] and None)
    with sockets.socket(sockets.AF_UNIX) as connection:
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        connection.connect(str(guarded))
        connection.sendall(b"GET /v1/events?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.to_thread(_hung_up_on, connection)
        assert 0 < await asyncio.to_thread(_rest, connection) < 1000 * 1000


def _hung_up_on(connection: sockets.socket) -> None:
    """Until the other side has closed it."""
    looking = select.poll()
    looking.register(connection, select.POLLRDHUP)
    assert looking.poll(60_000)


def _rest(connection: sockets.socket) -> int:
    """How much is still there to be read, until the other side is gone."""
    connection.settimeout(60)
    found = 0
    with contextlib.suppress(ConnectionResetError):
        while more := connection.recv(65536):
            found += len(more)
    return found


async def test_d16_who_changes_something_without_end_is_slowed_down(
    guarded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is an event that is never deleted. What only looks is not counted."""
    monkeypatch.setattr(guests, "CHANGES", 3)
    cancel = b"DELETE /v1/jobs/nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    assert [await told(guarded, cancel) for _ in range(4)] == [
        *[b"HTTP/1.1 404 Not Found"] * 3, b"HTTP/1.1 409 Conflict",
    ]  # fmt: skip
    assert await told(guarded, PING) == b"HTTP/1.1 200 OK"


def test_d16_changes_are_allowed_again_as_time_passes() -> None:
    now = [0.0]
    counted = Guests(frozenset({0}), clock=lambda: now[0])
    assert all(counted.may_change(2000) for _ in range(guests.CHANGES))
    assert not counted.may_change(2000)
    assert counted.may_change(2001)
    assert counted.may_change(0)
    assert not counted.may_change(None)
    now[0] += 1
    assert [counted.may_change(2000) for _ in range(3)] == [True, True, False]
