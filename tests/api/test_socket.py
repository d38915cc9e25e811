"""The socket: the kernel says who calls, streams end in order, and nobody is kept waiting."""

from __future__ import annotations

import asyncio
import json
import os
import socket as sockets
import stat
import subprocess
from collections.abc import Coroutine
from pathlib import Path

import aiohttp
import pytest

from ds01.daemon.peer import peer_uid
from ds01.domain.people import User
from tests.api.conftest import Api
from tests.server import ALICE, MINIMAL, SimServer


def test_the_peer_of_a_socketpair_is_this_process() -> None:
    left, right = sockets.socketpair(sockets.AF_UNIX)
    with left, right:
        assert peer_uid(left) == os.getuid()


REQUEST = {"project": "thesis", "workspace": f"{ALICE.home}/workspace/thesis", "image": MINIMAL, "gpus": "1"}


@pytest.fixture(autouse=True)
def workspace(server: SimServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may be root, for whom nothing is mounted: the folder is alice's."""
    pin = server.host.pin
    monkeypatch.setattr(server.host, "pin", lambda user, path, key, **more: pin(ALICE, path, key, **more))


async def test_the_caller_is_who_the_kernel_says(http: aiohttp.ClientSession, myself: User) -> None:
    async with http.get("/v1/status", headers={"X-User": "root", "Authorization": "root"}) as answer:
        assert (await answer.json())["login"] == "me"


async def test_everybody_may_connect(socket: Path) -> None:
    assert stat.S_IMODE(socket.stat().st_mode) == 0o666


ASK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect(sys.argv[1])
    line.sendall(b"GET /v1/status HTTP/1.0\\r\\n\\r\\n")
    sys.stdout.buffer.write(line.makefile("rb").read())
"""


@pytest.mark.root
async def test_another_uid_is_another_caller(api: Api, socket: Path) -> None:
    socket.parent.chmod(0o755)
    process = await asyncio.create_subprocess_exec(
        "/usr/bin/python3", "-c", ASK, str(socket), stdout=subprocess.PIPE, user=1001, group=1001, extra_groups=[]
    )
    out, _ = await process.communicate()
    assert json.loads(out.partition(b"\r\n\r\n")[2])["login"] == ALICE.login


async def test_a_connection_keeps_its_caller_for_every_request(http: aiohttp.ClientSession) -> None:
    for _ in range(3):
        async with http.get("/v1/ping") as answer:
            assert (await answer.json())["login"] == "me"


async def test_events_are_followed_as_they_happen(http: aiohttp.ClientSession) -> None:
    async with http.get("/v1/events?follow=1") as answer:
        assert answer.content_type == "application/x-ndjson"
        await launch(http)
        first = json.loads(await asyncio.wait_for(answer.content.readline(), 10))
        assert first["type"] == "lease.granted"


@pytest.mark.root
async def test_files_are_copied_for_as_long_as_the_gateway_listens(http: aiohttp.ClientSession, api: Api) -> None:
    world = api.server.world
    api.server.engine.release = "29.5.1"
    made = await api.server.launch(gpus="0")
    async with http.post("/v1/door/copies", json={"id": made.id}) as answer:
        assert json.loads(await asyncio.wait_for(answer.content.readline(), 10)) == {"error": None}
        assert made.id in world.copies._over
        answer.close()
    async with asyncio.timeout(10):
        while world.copies._over:
            await asyncio.sleep(0.01)
    async with http.post("/v1/door/copies", json={"id": made.id}) as answer:
        assert json.loads(await asyncio.wait_for(answer.content.readline(), 10)) == {"error": None}
        with world.copies.ended(made.id):
            assert await asyncio.wait_for(answer.content.read(), 10) == b""
    api.server.engine.release = "20.10.24"
    async with http.post("/v1/door/copies", json={"id": made.id}) as answer:
        told = json.loads(await asyncio.wait_for(answer.content.read(), 10))["error"]
        assert (told["code"], told["details"]) == ("door.denied", {"rule": "archive.reached"})


async def launch(http: aiohttp.ClientSession) -> list[dict[str, object]]:
    async with http.post("/v1/launches", json=REQUEST) as answer:
        return [json.loads(each) async for each in answer.content]


async def test_a_launch_over_the_socket(http: aiohttp.ClientSession) -> None:
    lines = await launch(http)
    assert lines[-1]["step"] == "ready"


async def test_a_client_that_hangs_up_during_a_launch_leaves_nothing(
    socket: Path, api: Api, server: SimServer, myself: User
) -> None:
    server.directory.add(User(uid=myself.uid, gid=myself.gid, login="me", home="/home/me"))
    server.engine.faults.slow_seconds = 1.0
    body = json.dumps(REQUEST).encode()
    head = f"POST /v1/launches HTTP/1.1\r\nHost: ds01\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    reader, writer = await asyncio.open_unix_connection(str(socket))
    writer.write(head.encode() + b"\r\n\r\n" + body)
    told = b""
    while b'"create"' not in told:
        line = await asyncio.wait_for(_advancing(server, reader.readline()), 60)
        assert line, told
        told += line
    writer.close()
    await writer.wait_closed()
    stopping = asyncio.create_task(api.app.state.streams.stop(10))
    while not stopping.done():
        await asyncio.sleep(0.01)
        await server.clock.advance(0.1)
    server.engine.faults.slow_seconds = 0.0
    assert await server.traces() == (0, 0, 0)


async def _advancing(server: SimServer, reading: Coroutine[None, None, bytes]) -> bytes:
    task = asyncio.create_task(reading)
    while not task.done():
        await asyncio.sleep(0.01)
        await server.clock.advance(0.1)
    return task.result()
