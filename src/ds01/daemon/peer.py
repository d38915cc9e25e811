"""Who is at the other end of a connection: the kernel says it (``SO_PEERCRED``), nothing the client sends does.

uvicorn knows addresses only, so a small subclass of its HTTP protocol reads the credentials once per connection and
puts the uid into the scope of every request on it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ds01.api.errors import response
from ds01.api.identity import LOOKS, PEER
from ds01.daemon.guests import CHANGES, CONNECTIONS, REQUEST_BYTES, Guests
from ds01.domain.errors import BAD_REQUEST, BUSY, Problem

_UCRED = struct.Struct("3i")

TOO_MANY = Problem(
    kind=BUSY, message=f"You have {CONNECTIONS} connections to ds01d open.", hint="End some of your commands first"
)
TOO_LONG = Problem(kind=BAD_REQUEST, message=f"The request is longer than {REQUEST_BYTES} bytes.", hint="ds01 --help")
TOO_OFTEN = Problem(
    kind=BUSY, message=f"You changed something {CHANGES:,} times in quick succession.",
    reason="Each time is on record for good.", hint="Go on more slowly: two a second",
)  # fmt: skip
TOO_SLOW = Problem(kind=BAD_REQUEST, message="The request took too long to arrive.", hint="ds01 --help")

_LOOKS = tuple(method.encode() for method in LOOKS)


def peer_uid(connection: socket.socket) -> int:
    """The uid of the process that connected."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    _, uid, _ = _UCRED.unpack(raw)
    return int(uid)


class PeerProtocol(HttpToolsProtocol):
    """HTTP/1.1 over a unix socket, every request with its caller's uid, and no more of them than is fair."""

    _peer: int | None = None
    _counted = False
    _arrived = 0
    _patience: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Ask the kernel before the first byte is read."""
        self._peer = _uid_of(transport)
        super().connection_made(transport)
        self._counted = self._guests.enter(self._peer)
        if not self._counted:
            self._turn_away(TOO_MANY)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the connection back."""
        self._relax()
        self._is_read()
        if self._counted:
            self._counted = False
            self._guests.leave(self._peer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as the request is of a sensible length."""
        self._arrived += len(data)
        if self._arrived > REQUEST_BYTES and not self._guests.trusts(self._peer):
            self._turn_away(TOO_LONG)
        elif not self.transport.is_closing():
            super().data_received(data)

    def on_message_begin(self) -> None:
        """A new request: its scope carries the uid."""
        super().on_message_begin()
        scope: Any = self.scope
        scope[PEER] = self._peer
        self._wait()

    def on_headers_complete(self) -> None:
        """What changes something is counted, and refused before anything of it is done."""
        if self.parser.get_method() not in _LOOKS and not self._guests.may_change(self._peer):
            self._turn_away(TOO_OFTEN)
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is here; from now on it is our turn."""
        super().on_message_complete()
        self._arrived = 0
        self._relax()

    def pause_writing(self) -> None:
        """Nobody reads the answer for the moment; who never does is not waited for."""
        super().pause_writing()
        if self._unread is None and not self._guests.trusts(self._peer):
            self._unread = self.loop.call_later(self._guests.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It is read."""
        self._is_read()
        super().resume_writing()

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    @property
    def _guests(self) -> Guests:
        app: Any = self.config.app
        guests: Guests = app.state.guests
        return guests

    def _wait(self) -> None:
        if self._patience is None and not self._guests.trusts(self._peer):
            self._patience = self.loop.call_later(self._guests.seconds, self._turn_away, TOO_SLOW)

    def _relax(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _turn_away(self, problem: Problem) -> None:
        """Say why, once, and close: what is still coming is not read."""
        self._relax()
        if not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
                body = response(problem)
                self.transport.write(_head(problem.kind.status, len(body.body)) + bytes(body.body))
            self.transport.close()


def _head(status: int, length: int) -> bytes:
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def _uid_of(transport: asyncio.Transport) -> int | None:
    """uvloop shows a stand-in for the socket, so the descriptor is looked at through one of our own."""
    shown = transport.get_extra_info("socket")
    if shown is None or shown.family != socket.AF_UNIX:
        return None
    with socket.fromfd(shown.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        return peer_uid(connection)
