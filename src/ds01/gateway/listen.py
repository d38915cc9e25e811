"""The gateway's socket: made here, or handed over by systemd, which then holds it over a restart."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import stat
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from ds01.gateway import denied
from ds01.gateway.identity import Peer, Presence, login_uid, peer_uid, too_many
from ds01.gateway.stream import Stream

BACKLOG = 4096
AT_ONCE = 1024
"""Connections that are taken from the kernel before the loop does something else."""
BEGUN_AT_ONCE = 16
"""Of those, how many are begun to be served before the loop does: that costs ten times as much as taking one."""

PAUSE_SECONDS = 0.2
_LOG = structlog.get_logger("ds01.gateway")


def own_socket(path: Path) -> socket.socket:
    """A socket of our own, in place of one that a former gateway left. Everybody may connect: identity is the uid."""
    if path.exists() and not stat.S_ISSOCK(path.lstat().st_mode):
        raise OSError(f"{path} is there and is no socket")
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(fresh))
        fresh.chmod(0o666)
        listening.listen(BACKLOG)
        fresh.rename(path)
    except OSError:
        listening.close()
        raise
    return listening


def many_files() -> None:
    """Every connection is two descriptors; take all that are allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Serves(Protocol):
    """Whatever serves one connection of a user."""

    async def serve(self, client: Stream, peer: Peer) -> None: ...


class Listener:
    """Accepts connections, counts them by user, and serves each in a task of its own.

    Connections are taken from the kernel as fast as they come, and those of a user who has too many are closed on the
    spot: what one user leaves waiting there would keep everybody else out. So taking one does as little as can be,
    and serving begins afterwards. ``identify`` tells whose one is, ``account`` which account's they all are, if one's.
    """

    def __init__(
        self, server: Serves, presence: Presence, identify: Callable[[socket.socket], int] = peer_uid, account: str = ""
    ) -> None:  # fmt: skip
        self._server = server
        self._presence = presence
        self._identify = identify
        self._account = account
        self._tasks: set[asyncio.Task[None]] = set()
        self._taken: deque[tuple[socket.socket, int]] = deque()
        self._beginning: set[socket.socket] = set()
        """Of those that have a task, the ones that are nobody else's to close yet."""
        self._listening: socket.socket | None = None

    async def listen(self, listening: socket.socket) -> None:
        """Begin to accept."""
        listening.setblocking(False)
        listening.listen(BACKLOG)
        self._listening = listening
        asyncio.get_running_loop().add_reader(listening, self._accept)

    def _accept(self) -> None:
        """Take what waits, then begin."""
        beginning = bool(self._taken)
        try:
            self._take_waiting()
        finally:
            if self._taken and not beginning:
                self._begin()

    def _take_waiting(self) -> None:
        """After many the loop does something else in between."""
        for _ in range(AT_ONCE):
            if self._listening is None:
                return
            try:
                connection, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause(error)
                return
            self._take(connection)

    def _pause(self, error: OSError) -> None:
        """There are no descriptors left, or no memory: accepting again at once would be a busy loop."""
        _LOG.warning("accept.failed", reason=str(error))
        loop, listening = asyncio.get_running_loop(), self._listening
        if listening is not None:
            loop.remove_reader(listening)
            loop.call_later(PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        if self._listening is not None:
            asyncio.get_running_loop().add_reader(self._listening, self._accept)

    def _take(self, connection: socket.socket) -> None:
        uid = self._identify(connection)
        if not self._presence.enter(uid):
            _turn_away(connection)
            return
        self._taken.append((connection, uid))

    def _begin(self) -> None:
        """Serve a few of those that were taken, in their order."""
        loop = asyncio.get_running_loop()
        for _ in range(min(BEGUN_AT_ONCE, len(self._taken))):
            connection, uid = self._taken.popleft()
            self._beginning.add(connection)
            task = loop.create_task(self._serve(connection, uid))
            self._tasks.add(task)
            task.add_done_callback(partial(self._over, connection, uid))
        if self._taken:
            loop.call_soon(self._begin)

    async def _serve(self, connection: socket.socket, uid: int) -> None:
        connection.setblocking(False)
        _, client = await asyncio.get_running_loop().connect_accepted_socket(Stream, connection)
        self._beginning.remove(connection)
        await self._server.serve(client, Peer(uid=uid, account=self._account, login_uid=login_uid(connection)))

    def _over(self, connection: socket.socket, uid: int, task: asyncio.Task[None]) -> None:
        """A connection's task ended, if it ever began: one that is cancelled before runs nothing of its own."""
        self._tasks.discard(task)
        if connection in self._beginning:
            self._beginning.remove(connection)
            connection.close()
        self._presence.leave(uid)

    async def close(self) -> None:
        """Accept nothing more and end what is open; containers go on."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None
        for connection, uid in self._taken:
            connection.close()
            self._presence.leave(uid)
        self._taken.clear()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


_TOO_MANY = denied.answer(too_many())


def _turn_away(connection: socket.socket) -> None:
    """Say why, if there is room for it, and close."""
    connection.setblocking(False)
    with contextlib.suppress(OSError):
        connection.send(_TOO_MANY)
    connection.close()
