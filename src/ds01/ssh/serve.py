"""One connection on standard input and output, from its first byte to its last."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Awaitable, Callable

import asyncssh

from ds01.client.docker import Docker
from ds01.domain.record import record
from ds01.ssh import key, programs, session
from ds01.ssh.programs import Inside

_PIECE = 64 * 1024
Handler = Callable[[asyncssh.SSHReader[bytes], asyncssh.SSHWriter[bytes]], Awaitable[None]]


@record
class Place:
    """Where one gets: the container, called ``name``, through the gateway."""

    docker: Docker
    container: str
    name: str


def serve(place: Place, state: str) -> None:
    """Speak SSH on this process's own input and output until the other side is gone."""
    ours, theirs = socket.socketpair()
    for work in (_take, _give):
        threading.Thread(target=work, args=(theirs,), daemon=True).start()
    asyncio.run(_serve(ours, place, state))
    with contextlib.suppress(OSError):
        theirs.shutdown(socket.SHUT_RDWR)


async def _serve(ours: socket.socket, place: Place, state: str) -> None:
    inside = Inside(docker=place.docker, container=place.container, name=place.name)
    connection = await asyncssh.run_server(
        ours, server_factory=lambda: Visit(inside), server_host_keys=[key.own(state)], agent_forwarding=False,
        x11_forwarding=False, server_version="DS01", line_editor=False, keepalive_interval=60, login_timeout=60,
    )  # fmt: skip
    with contextlib.suppress(asyncssh.Error, OSError):
        await connection.wait_closed()


class Visit(asyncssh.SSHServer):
    """What may be asked for: programs, and connections that begin inside the container. Nothing that listens here."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """It begins."""
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        """The server's sshd has seen to it."""
        del username
        return False

    def session_requested(self) -> tuple[asyncssh.SSHServerChannel[bytes], session.Session]:
        """A shell, a command, the file transfer: bytes as they are."""
        return self._connection.create_server_channel(encoding=None), session.Session(self._inside)

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> Handler:
        """``ssh -L`` and ``-D``: what the container itself reaches."""
        del orig_host, orig_port
        return lambda reader, writer: programs.connect(self._inside, (dest_host, str(dest_port)), reader, writer)

    def unix_connection_requested(self, dest_path: str) -> Handler:
        """The same to a unix socket inside."""
        return lambda reader, writer: programs.connect(self._inside, (dest_path,), reader, writer)


def _take(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := os.read(0, _PIECE):
            sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)


def _give(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := sock.recv(_PIECE):
            view = memoryview(data)
            while view:
                view = view[os.write(1, view) :]
