"""The socket: it appears when ds01d can answer, and not before; it goes when ds01d stops.

A socket file left by a killed ds01d is replaced in one step, so a client finds either the old, dead one or a living
one, never none for long. Two living ones cannot be: the state directory's lock was taken first.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from ds01.daemon.guests import Guests
from ds01.daemon.peer import PeerProtocol

BACKLOG = 1024
GRACE_SECONDS = 5


class Server(uvicorn.Server):
    """uvicorn on one unix socket. ``ready`` is called when it serves; ds01d handles signals itself."""

    def __init__(self, app: FastAPI, path: Path, guests: Guests | None = None) -> None:
        app.state.guests = guests or Guests(app.state.gateway_uids)
        config = uvicorn.Config(
            app, http=PeerProtocol, loop="none", ws="none", lifespan="off", log_config=None, access_log=False,
            proxy_headers=False, server_header=False, date_header=False, timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=30, backlog=BACKLOG,
        )  # fmt: skip
        super().__init__(config)
        self._stop = asyncio.Event()
        self._path = path
        self._staged = path.with_name(f".{path.name}.{os.getpid()}")

    async def listen(self) -> None:
        """Serve until ``stop``."""
        self._staged.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self._staged))
        self._staged.chmod(0o666)
        try:
            await self.serve(sockets=[listener])
        finally:
            listener.close()
            self._staged.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then put the socket where clients look for it."""
        await super().startup(sockets)
        self._staged.rename(self._path)
        notify("READY=1")

    def stop(self) -> None:
        """Take no more requests, finish those that go on, return from ``listen``."""
        self._stop.set()

    async def main_loop(self) -> None:
        """Nothing to do ten times a second while it serves: wait."""
        await self._stop.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ``daemon.main``'s affair."""
        yield


def notify(message: str) -> None:
    """Tell systemd, if it asked to be told."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
        sock.sendall(message.encode())
