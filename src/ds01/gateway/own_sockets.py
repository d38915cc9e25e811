"""A socket for each user's containers: who connects there is she, whatever uid the other end has.

Root in a container that gets hold of the one socket would be uid 0 to the kernel. So a container that asks for the
engine's socket gets its owner's, made when it is first asked for, in a folder that nobody else on the host can enter.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import kept
from ds01.gateway.audit import Audit
from ds01.gateway.call import error_text
from ds01.gateway.identity import Presence
from ds01.gateway.listen import Listener, own_socket
from ds01.gateway.serve import Server
from ds01.gateway.upstream import Ask, Upstream, UpstreamError
from ds01.wire.door import DoorAudit

SOCKET = "docker.sock"
AGAIN_SECONDS, SILENT_SECONDS = 30.0, 2.0
"""How often is tried again: what has no place, and an engine that did not tell."""
ANSWER_SECONDS = 10.0
"""How long the engine is waited for: nobody is served meanwhile."""
NO_PLACE = "create.mounts.socket"
_LOG = structlog.get_logger("ds01.gateway.own_sockets")


class OwnSockets:
    """The sockets below ``folder``, one for each user who asked for hers.

    A place that cannot be used (a folder that is somebody else's, a file in the way, a path that is too long) keeps one
    user's socket from her, and nobody else's: it is told, and tried again.
    """

    def __init__(
        self, folder: Path, server: Callable[[], Server], presence: Presence, passed: Mapping[int, socket.socket],
        audit: Audit,
    ) -> None:  # fmt: skip
        """``passed`` are those that were kept over a restart."""
        self._folder = folder
        self._server = server
        self._presence = presence
        self._passed = dict(passed)
        self._audit = audit
        self._open: dict[int, Listener] = {}
        self._closed: dict[int, str] = {}
        self._silent: Upstream | None = None
        """The engine, while it has not told whose sockets containers have."""
        self._opening = asyncio.Lock()

    def path(self, uid: int) -> Path:
        """Where this user's socket is."""
        return self._folder / str(uid) / SOCKET

    async def open(self, uid: int) -> str:
        """Serve this user's socket, and say where it is. Raises RefusedError when there is no place for it."""
        async with self._opening:
            if uid not in self._open:
                listener = Listener(self._server(), self._presence, lambda _: uid)
                await listener.listen(self._listening(uid))
                self._open[uid] = listener
                self._closed.pop(uid, None)
        return str(self.path(uid))

    def _listening(self, uid: int) -> socket.socket:
        before = self._passed.get(uid)
        try:
            listening = before if before and self.path(uid).exists() else self._made(uid)
        except OSError as error:
            raise self._told(uid, error.strerror or str(error)) from error
        self._passed.pop(uid, None)
        return listening

    def _told(self, uid: int, reason: str) -> RefusedError:
        """The refusal. The first of its kind goes into the log and is an event; the next try says nothing new."""
        if self._closed.get(uid) != reason:
            self._closed[uid] = reason
            _LOG.warning("door.closed", uid=uid, place=str(self.path(uid)), reason=reason)
            self._audit.record(
                DoorAudit(uid=uid, method="", path=str(self.path(uid)), subject="", outcome="closed", rule=NO_PLACE,
                          reason=reason)
            )  # fmt: skip
        return RefusedError(NO_PLACE, "There is no place for your socket", "Tell your admin: ds01 doctor.", status=503)

    def _made(self, uid: int) -> socket.socket:
        folder = self.path(uid).parent
        folder.mkdir(mode=0o711, exist_ok=True)
        if folder.lstat().st_uid not in (os.geteuid(), 0):
            raise OSError(f"{folder} belongs to somebody else")
        listening = own_socket(self.path(uid))
        kept.keep(uid, listening)
        return listening

    async def again(self, engine: Upstream) -> None:
        """Serve those that were served before a restart, and those that containers have: they start on them.

        A reboot leaves nothing of the folder, and a container does not start when what it mounts is not there.
        """
        self._silent = engine
        for uid in sorted({*self._passed, *self._before(), *await self._mounted()}):
            await self._tried(uid)

    async def keep_trying(self) -> None:
        """Now and then try again, for as long as the gateway runs."""
        while True:
            await asyncio.sleep(AGAIN_SECONDS if self._silent is None else SILENT_SECONDS)
            await self.try_again()

    async def try_again(self) -> None:
        """Try those for which there was no place, and those that an engine tells of that did not before."""
        for uid in sorted({*self._closed, *await self._mounted()}):
            await self._tried(uid)

    async def _tried(self, uid: int) -> None:
        with contextlib.suppress(RefusedError):
            await self.open(uid)

    def _before(self) -> set[int]:
        try:
            return {int(place.name) for place in self._folder.iterdir() if place.name.isdecimal()}
        except OSError as error:
            _LOG.warning("own_sockets.closed", place=str(self._folder), reason=error.strerror)
            return set()

    async def _mounted(self) -> set[int]:
        """Whose sockets are in containers, once the engine has told. One that is just starting accepts connections
        before it answers, and may start containers meanwhile: it is not waited for, and asked again.
        """
        if self._silent is None:
            return set()
        try:
            ask = Ask(method="GET", target="/containers/json?all=1")
            head, body = await self._silent.whole(ask, ANSWER_SECONDS)
            containers = json.loads(body)
        except (UpstreamError, ConnectionError, ValueError) as error:
            _LOG.warning("engine.unreachable", reason=str(error))
            return set()
        if head.status != 200:
            _LOG.warning("engine.unreachable", reason=error_text(body))
            return set()
        self._silent = None
        sources = {Path(mount.get("Source") or "/") for found in containers for mount in found.get("Mounts") or ()}
        owners = {source.parent.name for source in sources if source.parent.parent == self._folder}
        return {int(owner) for owner in owners if owner.isdecimal()}

    async def close(self) -> None:
        """Accept nothing more."""
        for listener in self._open.values():
            await listener.close()
