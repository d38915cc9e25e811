"""A socket for each user's containers: who connects there is she, whatever uid the other end has.

Root in a container that gets hold of the one socket would be uid 0 to the kernel. So a container that asks for the
engine's socket gets its owner's, made when it is first asked for, in a folder that nobody else on the host can enter.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import kept
from ds01.gateway.identity import Presence
from ds01.gateway.listen import Listener, own_socket
from ds01.gateway.serve import Server

SOCKET = "docker.sock"
_LOG = structlog.get_logger("ds01.gateway.doors")


class Doors:
    """The sockets below ``folder``, one for each user who asked for hers."""

    def __init__(
        self, folder: Path, server: Callable[[], Server], presence: Presence, passed: Mapping[int, socket.socket]
    ) -> None:
        """``passed`` are those that were kept over a restart."""
        self._folder = folder
        self._server = server
        self._presence = presence
        self._passed = dict(passed)
        self._open: dict[int, Listener] = {}
        self._opening = asyncio.Lock()

    def path(self, uid: int) -> Path:
        """Where this user's socket is."""
        return self._folder / str(uid) / SOCKET

    async def open(self, uid: int) -> str:
        """Serve this user's socket, and say where it is. Raises RefusedError when there is no place for it."""
        async with self._opening:
            if uid not in self._open:
                try:
                    before = self._passed.pop(uid, None)
                    listening = before if before and self.path(uid).exists() else self._made(uid)
                except OSError as error:
                    reason = errno.errorcode.get(error.errno or 0, "")
                    _LOG.warning("door.closed", uid=uid, reason=reason)
                    raise RefusedError(
                        "create.mounts.socket", "There is no place for your socket", "Tell your admin.", status=503
                    ) from error
                listener = Listener(self._server(), self._presence, lambda _: uid)
                await listener.listen(listening)
                self._open[uid] = listener
        return str(self.path(uid))

    def _made(self, uid: int) -> socket.socket:
        self.path(uid).parent.mkdir(mode=0o711, exist_ok=True)
        listening = own_socket(self.path(uid))
        kept.keep(uid, listening)
        return listening

    async def again(self) -> None:
        """Serve those that were served before a restart: containers start on them."""
        known = self._folder.iterdir() if self._folder.is_dir() else ()
        for uid in sorted({*self._passed, *(int(place.name) for place in known if place.name.isdecimal())}):
            await self.open(uid)

    async def close(self) -> None:
        """Accept nothing more."""
        for listener in self._open.values():
            await listener.close()
