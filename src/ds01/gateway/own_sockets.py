"""A socket for each user's containers: who connects there is she, whatever uid the other end has.

Root in a container that gets hold of the one socket would be uid 0 to the kernel. So a container that asks for the
engine's socket gets its owner's, made when it is first asked for, in a folder that nobody else on the host can enter.

A socket is an account's, not a uid's: whoever has the uid next has another one, and what is asked at the former's is
refused (``Server``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import structlog

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.names import own_door
from ds01.gateway import kept
from ds01.gateway.audit import Audit
from ds01.gateway.call import error_text
from ds01.gateway.held import DoorDownError
from ds01.gateway.identity import Presence
from ds01.gateway.listen import Listener, own_socket
from ds01.gateway.serve import Server
from ds01.gateway.upstream import Ask, Upstream, UpstreamError, parsed_list
from ds01.wire.door import DoorAudit, DoorUser

AGAIN_SECONDS, SILENT_SECONDS = 30.0, 2.0
"""How often is tried again: what has no place, and an engine that did not tell."""
ANSWER_SECONDS = 10.0
"""How long the engine is waited for: nobody is served meanwhile."""
NO_PLACE = "create.mounts.socket"
_NAME = re.compile(r"([0-9]{1,10})-([0-9]{1,10})")
_LOG = structlog.get_logger("ds01.gateway.own_sockets")


class Whose(NamedTuple):
    """An account that has a socket."""

    uid: int
    epoch: int

    @property
    def account(self) -> str:
        """As ds01d writes it."""
        return f"{self.uid}:{self.epoch}"

    @property
    def name(self) -> str:
        """Of the folder with its socket."""
        return os.path.dirname(own_door(self.uid, self.epoch))


def named(names: Iterable[str]) -> set[Whose]:
    """The accounts that folders are named after; what is called otherwise is nobody's."""
    matches = [match for name in names if (match := _NAME.fullmatch(name))]
    return {Whose(int(match[1]), int(match[2])) for match in matches}


class OwnSockets:
    """The sockets below ``folder``, one for each user who asked for hers.

    A place that cannot be used (a folder that is somebody else's, a file in the way, a path that is too long) keeps one
    user's socket from her, and nobody else's: it is told, and tried again.
    """

    def __init__(
        self, folder: Path, server: Callable[[], Server], presence: Presence, passed: Mapping[str, socket.socket],
        audit: Audit, who: Callable[[int], Awaitable[DoorUser | None]],
    ) -> None:  # fmt: skip
        """``passed`` are those that were kept over a restart, ``who`` says whose a uid is now."""
        self._folder = folder
        self._server = server
        self._presence = presence
        self._passed = {whose: kept for name, kept in passed.items() for whose in named((name,))}
        self._audit = audit
        self._who = who
        self._open: dict[Whose, Listener] = {}
        self._closed: dict[Whose, str] = {}
        self._silent: Upstream | None = None
        """The engine, while it has not told whose sockets containers have."""
        self._opening = asyncio.Lock()

    def path(self, whose: Whose) -> Path:
        """Where this account's socket is."""
        return self._folder / own_door(whose.uid, whose.epoch)

    async def open(self, user: DoorUser) -> str:
        """Serve this user's socket, and say where it is. Raises RefusedError when there is no place for it."""
        whose = Whose(user.uid, user.epoch)
        await self._serve(whose)
        return str(self.path(whose))

    async def _serve(self, whose: Whose) -> None:
        async with self._opening:
            if whose not in self._open:
                listener = Listener(self._server(), self._presence, lambda _: whose.uid, whose.account)
                await listener.listen(self._listening(whose))
                self._open[whose] = listener
                self._closed.pop(whose, None)

    def _listening(self, whose: Whose) -> socket.socket:
        before = self._passed.get(whose)
        try:
            listening = before if before and self.path(whose).exists() else self._made(whose)
        except OSError as error:
            raise self._told(whose, error.strerror or str(error)) from error
        self._passed.pop(whose, None)
        return listening

    def _told(self, whose: Whose, reason: str) -> RefusedError:
        """The refusal. The first of its kind goes into the log and is an event; the next try says nothing new."""
        if self._closed.get(whose) != reason:
            self._closed[whose] = reason
            uid, place = whose.uid, str(self.path(whose))
            _LOG.warning("door.closed", uid=uid, place=place, reason=reason)
            self._audit.record(
                DoorAudit(uid=uid, method="", path=place, subject="", outcome="closed", rule=NO_PLACE, reason=reason)
            )
        return RefusedError(NO_PLACE, "There is no place for your socket", "Tell your admin: ds01 doctor.", status=503)

    def _made(self, whose: Whose) -> socket.socket:
        """A new one, in place of one that was kept and has no path any more."""
        folder = self.path(whose).parent
        folder.mkdir(mode=0o711, exist_ok=True)
        if folder.lstat().st_uid not in (os.geteuid(), 0):
            raise OSError(f"{folder} belongs to somebody else")
        listening = own_socket(self.path(whose))
        if (before := self._passed.get(whose)) is not None:
            kept.leave(whose.name)
            before.close()
        kept.keep(whose.name, listening)
        return listening

    async def again(self, engine: Upstream) -> None:
        """Serve those that were served before a restart, and those that containers have: they start on them.

        A reboot leaves nothing of the folder, and a container does not start when what it mounts is not there.
        """
        self._silent = engine
        for whose in sorted({*self._passed, *self._before(), *await self._mounted()}):
            await self._tried(whose)

    async def keep_trying(self) -> None:
        """Now and then try again, and end what former owners of a uid left, for as long as the gateway runs."""
        while True:
            await asyncio.sleep(AGAIN_SECONDS if self._silent is None else SILENT_SECONDS)
            await self.try_again()
            await self.end_former()

    async def try_again(self) -> None:
        """Try those for which there was no place, and those that an engine tells of that did not before."""
        for whose in sorted({*self._closed, *await self._mounted()}):
            await self._tried(whose)

    async def end_former(self) -> None:
        """Close the sockets of accounts whose uid is another's now: what is connected there counts as hers. Where
        nobody with the uid is connected, nothing has to be asked.
        """
        for whose in [whose for whose in self._open if self._presence.there(whose.uid)]:
            if await self._is_former(whose) and (listener := self._open.pop(whose, None)) is not None:
                await listener.close()
                kept.leave(whose.name)

    async def _is_former(self, whose: Whose) -> bool:
        """While ds01d is away nobody knows, and all go on."""
        try:
            user = await self._who(whose.uid)
        except (DoorDownError, RefusedError):
            return False
        return user is not None and user.account != whose.account

    async def _tried(self, whose: Whose) -> None:
        with contextlib.suppress(RefusedError):
            await self._serve(whose)

    def _before(self) -> set[Whose]:
        try:
            return named(place.name for place in self._folder.iterdir())
        except OSError as error:
            _LOG.warning("own_sockets.closed", place=str(self._folder), reason=error.strerror)
            return set()

    async def _mounted(self) -> set[Whose]:
        """Whose sockets are in containers, once the engine has told. One that is just starting accepts connections
        before it answers, and may start containers meanwhile: it is not waited for, and asked again.
        """
        if self._silent is None:
            return set()
        try:
            ask = Ask(method="GET", target="/containers/json?all=1")
            head, body = await self._silent.whole(ask, ANSWER_SECONDS)
            if head.status != 200:
                raise UpstreamError(error_text(body))
            containers = parsed_list(body)
        except (UpstreamError, ConnectionError) as error:
            _LOG.warning("engine.unreachable", reason=str(error))
            return set()
        self._silent = None
        sources = {Path(mount.get("Source") or "/") for found in containers for mount in found.get("Mounts") or ()}
        return named(source.parent.name for source in sources if source.parent.parent == self._folder)

    async def close(self) -> None:
        """Accept nothing more."""
        for listener in list(self._open.values()):
            await listener.close()
