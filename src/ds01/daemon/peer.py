"""Who is at the other end of a connection: the kernel says it (``SO_PEERCRED``), nothing the client sends does.

uvicorn knows addresses only, so a small subclass of its HTTP protocol reads the credentials once per connection and
puts the uid into the scope of every request on it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ds01.api.identity import PEER

_UCRED = struct.Struct("3i")


def peer_uid(connection: socket.socket) -> int:
    """The uid of the process that connected."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    _, uid, _ = _UCRED.unpack(raw)
    return int(uid)


class PeerProtocol(HttpToolsProtocol):
    """HTTP/1.1 over a unix socket, every request with its caller's uid."""

    _peer: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Ask the kernel before the first byte is read."""
        self._peer = _uid_of(transport)
        super().connection_made(transport)

    def on_message_begin(self) -> None:
        """A new request: its scope carries the uid."""
        super().on_message_begin()
        scope: Any = self.scope
        scope[PEER] = self._peer


def _uid_of(transport: asyncio.Transport) -> int | None:
    """uvloop shows a stand-in for the socket, so the descriptor is looked at through one of our own."""
    shown = transport.get_extra_info("socket")
    if shown is None or shown.family != socket.AF_UNIX:
        return None
    with socket.fromfd(shown.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        return peer_uid(connection)
