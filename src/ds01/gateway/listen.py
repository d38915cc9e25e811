"""The gateway's socket: made here, or handed over by systemd, which then holds it over a restart."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.http import head_bytes, status_line
from ds01.gateway.identity import Presence, peer_uid, too_many
from ds01.gateway.show import message_body
from ds01.gateway.stream import Stream

BACKLOG = 4096
_FIRST_PASSED = 3


def passed_socket(environment: Mapping[str, str], pid: int) -> socket.socket | None:
    """The listening socket systemd passed, if it did."""
    if environment.get("LISTEN_PID") != str(pid) or environment.get("LISTEN_FDS", "0") == "0":
        return None
    found = socket.socket(fileno=_FIRST_PASSED)
    if found.family != socket.AF_UNIX:
        raise OSError("the socket that was passed is no unix socket")
    return found


def own_socket(path: Path) -> socket.socket:
    """A socket of our own, in place of one that a former gateway left. Everybody may connect: identity is the uid."""
    if path.exists() and not stat.S_ISSOCK(path.lstat().st_mode):
        raise OSError(f"{path} is there and is no socket")
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(fresh))
    fresh.chmod(0o666)
    listening.listen(BACKLOG)
    fresh.rename(path)
    return listening


def many_files() -> None:
    """Every connection is two descriptors; take all that are allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Serves(Protocol):
    """Whatever serves one connection of a user."""

    async def serve(self, client: Stream, uid: int) -> None: ...


class Listener:
    """Accepts connections, counts them by user, and serves each in a task of its own.

    ``identify`` tells the uid behind a descriptor.
    """

    def __init__(self, server: Serves, presence: Presence, identify: Callable[[int], int] = peer_uid) -> None:
        self._server = server
        self._presence = presence
        self._identify = identify
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None

    async def listen(self, listening: socket.socket) -> None:
        """Begin to accept."""
        listening.setblocking(False)
        self._listening = await asyncio.get_running_loop().create_unix_server(
            lambda: Stream(self._opened), sock=listening, backlog=BACKLOG
        )

    def _opened(self, client: Stream) -> None:
        uid = self._identify(client.transport.get_extra_info("socket").fileno())
        if not self._presence.enter(uid):
            _turn_away(client, too_many())
            return
        task = asyncio.get_running_loop().create_task(self._serve(client, uid))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: Stream, uid: int) -> None:
        try:
            await self._server.serve(client, uid)
        finally:
            self._presence.leave(uid)

    async def close(self) -> None:
        """Accept nothing more and end what is open; containers go on."""
        if self._listening is not None:
            self._listening.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _turn_away(client: Stream, error: RefusedError) -> None:
    body = message_body(error.message)
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    client.transport.write(head_bytes(status_line(error.status), headers) + body)
    client.close()
