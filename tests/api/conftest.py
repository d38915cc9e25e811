"""The API of a simulated server, called with any identity, or over its real socket with one's own."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from fastapi import FastAPI
from starlette.types import Message

from ds01.api.app import routed, with_world
from ds01.api.identity import PEER
from ds01.daemon.serve import Server
from ds01.domain.people import Uid, User
from tests.server import ALICE, SimServer


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status and what came with it: one JSON value, or the lines of a stream."""

    status: int
    lines: tuple[Any, ...]

    @property
    def body(self) -> Any:
        assert len(self.lines) == 1, self.lines
        return self.lines[0]

    @property
    def error(self) -> Any:
        return self.body["error"]


class Api:
    """Calls the application as a given user: the scope says who, as the daemon's protocol would."""

    def __init__(self, app: FastAPI, server: SimServer) -> None:
        self.app = app
        self.server = server

    async def get(self, path: str, uid: int | None = ALICE.uid) -> Answer:
        return await self.call("GET", path, uid)

    async def post(self, path: str, body: object = None, uid: int | None = ALICE.uid) -> Answer:
        return await self.call("POST", path, uid, body)

    async def call(
        self, method: str, path: str, uid: int | None = ALICE.uid, body: object = None, *, raw: bytes | None = None
    ) -> Answer:
        """Send and wait for the whole answer."""
        sent = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        split = urlsplit(path)
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": split.path,
            "raw_path": split.path.encode(), "query_string": split.query.encode(), "root_path": "", "scheme": "http",
            "headers": [(b"content-type", b"application/json")] if sent else [], "server": ("ds01", None),
            "client": None, "state": {}, PEER: uid,
        }  # fmt: skip
        inbox = [{"type": "http.request", "body": sent, "more_body": False}]
        outbox: list[Message] = []

        async def receive() -> Message:
            if inbox:
                return inbox.pop()
            return await asyncio.Future()

        async def send(message: Message) -> None:
            outbox.append(message)

        await self.app(scope, receive, send)
        payload = b"".join(message.get("body", b"") for message in outbox[1:])
        return Answer(
            status=outbox[0]["status"], lines=tuple(json.loads(each) for each in payload.splitlines() if each.strip())
        )


@pytest.fixture
async def server(tmp_path: Path) -> SimServer:
    """A server that has looked at its GPUs."""
    return await SimServer(run=tmp_path).open()


@pytest.fixture(scope="session")
def routes() -> FastAPI:
    """Every route, built once: that takes longer than most tests."""
    return routed()


@pytest.fixture
def api(server: SimServer, routes: FastAPI) -> Api:
    """Its API."""
    return Api(with_world(routes, server.world, frozenset({0, 998})), server)


@pytest.fixture
def myself(server: SimServer) -> User:
    """Whoever runs the tests, known to the simulated server."""
    me = User(uid=Uid(os.getuid()), gid=os.getgid(), login="me", home="/home/me", gids=frozenset({os.getgid()}))
    server.directory.add(me)
    return me


@pytest.fixture
async def socket(api: Api, myself: User) -> AsyncIterator[Path]:
    """The API on a real unix socket, as the daemon serves it."""
    with tempfile.TemporaryDirectory(prefix="ds01", dir="/tmp") as folder:
        path = Path(folder, "ds01d.sock")
        serving = Server(api.app, path)
        task = asyncio.create_task(serving.listen())
        while not path.exists():
            await asyncio.sleep(0.01)
        yield path
        await api.app.state.streams.stop(1)
        serving.stop()
        await task


@pytest.fixture
async def http(socket: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """A client on that socket."""
    async with aiohttp.ClientSession("http://ds01", connector=aiohttp.UnixConnector(str(socket))) as session:
        yield session
