"""Requests to the engine, with its errors translated.

The engine does not answer about a container while it is at work on it, or while somebody reads its files. Where a
request about one takes too long, a ping tells whose failure that is: the container's, or the engine's. There is no
common limit on connections: a hundred requests that wait for one container would keep all others from the engine.

aiodocker keeps the connection, the API version and the streams; its object layer knows neither the writable layer's
changes nor one-shot statistics, so the port speaks through aiodocker's one general request.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import aiodocker
import aiohttp

from ds01.adapters.docker.errors import engine_errors, silent
from ds01.domain.errors import Ds01Error
from ds01.ports.engine import ANSWER_SECONDS

Params = dict[str, str]
CONNECT_SECONDS = 5.0
PING_SECONDS = 5.0
"""How long an engine may take for what needs no container."""
PIECE = 256 * 1024


class EngineHttp:
    """One engine at one address (``unix:///path``). The client is made on first use, inside the running loop."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: aiodocker.Docker | None = None
        self._connector: aiohttp.BaseConnector | None = None

    async def json(
        self, method: str, path: str, params: Params | None = None, body: Any = None, *,
        seconds: float = ANSWER_SECONDS, starting: bool = False,
    ) -> Any:  # fmt: skip
        """Send a request and return its JSON, None when the answer has no body."""
        data = None if body is None else json.dumps(body)
        with engine_errors(starting=starting):
            text = await self._whole(path, seconds, method=method, params=params, data=data)
        return json.loads(text) if text.strip() else None

    async def put(self, path: str, params: Params, archive: bytes) -> None:
        """Send a tar archive."""
        headers = {"Content-Type": "application/x-tar"}
        with engine_errors():
            await self._whole(path, ANSWER_SECONDS, method="PUT", params=params, data=archive, headers=headers)

    async def _whole(self, path: str, seconds: float, **asked: Any) -> bytes:
        """The body of an answer. Raises Ds01Error (``container.silent``) where only this container does not answer."""
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
        try:
            async with self._docker()._query(path, timeout=timeout, **asked) as response:
                return bytes(await response.read())
        except TimeoutError as error:
            if _is_of_container(path) and await self._answers():
                raise silent() from error
            raise

    async def _answers(self) -> bool:
        """Whether the engine itself does."""
        try:
            await self.json("HEAD", "_ping", seconds=PING_SECONDS)
        except Ds01Error:
            return False
        return True

    async def pieces(self, path: str, params: Params | None = None) -> AsyncGenerator[bytes, None]:
        """Stream an answer, however long it lasts."""
        with engine_errors():
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
            async with self._docker()._query(path, "GET", params=params, timeout=timeout) as response:
                try:
                    async for piece in response.content.iter_chunked(PIECE):
                        yield piece
                finally:
                    response.close()

    async def lines(self, path: str, params: Params | None = None) -> AsyncGenerator[Any, None]:
        """Stream an answer that is one JSON value a line."""
        rest = b""
        async for piece in self.pieces(path, params):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                if line.strip():
                    yield json.loads(line)

    def forget_version(self) -> None:
        """Ask for the engine's API version again: after it went away another one may come back."""
        if self._client is not None:
            self._client.api_version = "auto"

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None
        if self._connector is not None:
            await self._connector.close()
            self._connector = None

    def _docker(self) -> aiodocker.Docker:
        if self._client is None:
            self._connector = aiohttp.UnixConnector(self._address.removeprefix("unix://"), limit=0)
            self._client = aiodocker.Docker(url="unix://localhost", connector=self._connector)
        return self._client


def _is_of_container(path: str) -> bool:
    """Whether the engine may wait for one container before it answers."""
    if path in ("containers/json", "containers/create"):
        return False
    return path == "commit" or path.startswith(("containers/", "exec/"))
