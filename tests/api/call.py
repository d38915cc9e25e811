"""Calls the API as a user, in memory: what the socket and its peer would say, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI

from ds01.api.identity import PEER


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status and the JSON of the body."""

    status: int
    body: Any


async def get(app: FastAPI, path: str, *, uid: int, **query: str | int) -> Answer:
    """One GET as ``uid``."""
    pieces = [piece async for piece in stream(app, path, uid=uid, query=query)]
    return Answer(status=int(pieces[0]), body=json.loads(b"".join(pieces[1:])))


async def stream(app: FastAPI, path: str, *, uid: int, query: dict[str, str | int]) -> AsyncGenerator[bytes, None]:
    """The status, then the body as it comes; leaving the loop hangs up."""
    said: asyncio.Queue[bytes | None] = asyncio.Queue()
    hung_up = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            said.put_nowait(str(message["status"]).encode())
        else:
            said.put_nowait(message.get("body", b""))
            if not message.get("more_body", False):
                said.put_nowait(None)

    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": [], "http_version": "1.1",
        "query_string": urlencode(query).encode(), "scheme": "http", "server": None, "client": None, "root_path": "",
        PEER: uid,
    }  # fmt: skip
    answering = asyncio.create_task(app(scope, receive, send))
    try:
        while (piece := await said.get()) is not None:
            yield piece
    finally:
        hung_up.set()
        await answering
