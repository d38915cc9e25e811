"""Requests to the engine, with its errors translated.

aiodocker keeps the connection, the API version and the streams; its object layer knows neither the writable layer's
changes nor one-shot statistics, so the port speaks through aiodocker's one general request.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import aiodocker
import aiohttp

from ds01.adapters.docker.errors import engine_errors

Params = dict[str, str]
UNARY_SECONDS = 60.0
CONNECT_SECONDS = 5.0
PIECE = 256 * 1024


class EngineHttp:
    """One engine at one address (``unix:///path``). The client is made on first use, inside the running loop."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: aiodocker.Docker | None = None

    async def json(
        self, method: str, path: str, params: Params | None = None, body: Any = None, *,
        seconds: float = UNARY_SECONDS, starting: bool = False,
    ) -> Any:  # fmt: skip
        """Send a request and return its JSON, None when the answer has no body."""
        with engine_errors(starting=starting):
            data = None if body is None else json.dumps(body)
            timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
            async with self._docker()._query(path, method, params=params, data=data, timeout=timeout) as response:
                text = await response.read()
        return json.loads(text) if text.strip() else None

    async def put(self, path: str, params: Params, archive: bytes) -> None:
        """Send a tar archive."""
        with engine_errors():
            timeout = aiohttp.ClientTimeout(total=UNARY_SECONDS, sock_connect=CONNECT_SECONDS)
            headers = {"Content-Type": "application/x-tar"}
            async with self._docker()._query(
                path, "PUT", params=params, data=archive, headers=headers, timeout=timeout
            ) as response:
                await response.read()

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

    def _docker(self) -> aiodocker.Docker:
        if self._client is None:
            self._client = aiodocker.Docker(url=self._address)
        return self._client
