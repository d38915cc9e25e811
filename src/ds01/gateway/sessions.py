"""Open sessions: whose each is, and what a build that uses it may read through it.

A session is used by one kind of build: one whose Dockerfile is judged here on its way, or one that BuildKit itself
judges by our rules. What was promised for one kind must not serve the other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.held import DoorDownError
from ds01.gateway.upstream import UpstreamError
from ds01.wire.door import DoorUser

Judge = Callable[[bytes], Awaitable[bytes]]
"""What becomes of a Dockerfile. Raises RefusedError."""

PATIENCE_SECONDS = 5

SESSIONS = 32
"""Sessions that one user may have open."""

APIS = 64
"""Connections of BuildKit's API that one user may have open: a client has one for its builds, or two."""


@dataclass(kw_only=True)
class Session:
    """One open session. ``rewrite`` judges the Dockerfile of the build that uses it; ``policed`` says that BuildKit
    was given our rules, so that the Dockerfile passes as it is when none of ``looks`` minds: one of each build.
    """

    id: str
    account: str
    rewrite: Judge | None = None
    policed: bool = False
    looks: list[Judge] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the last build that uses it was refused: old clients wait for the session's end, and would for ever."""
    _builds: int = 0
    """That use it, or ask whether they may."""

    @contextmanager
    def ended_by_refusal(self) -> Iterator[None]:
        """For one build. What is refused meanwhile ends the session, also because ds01d or the engine is away; not
        while another build uses it.
        """
        self._builds += 1
        try:
            yield
        except (RefusedError, DoorDownError, UpstreamError):
            if self._builds == 1:
                self.over.set()
            raise
        finally:
            self._builds -= 1

    @contextmanager
    def judged_by(self, rewrite: Judge) -> Iterator[None]:
        """For one build. Raises RefusedError (409) while another build uses this session."""
        if self.policed or self.rewrite is not None:
            raise _used()
        self.rewrite = rewrite
        try:
            yield
        finally:
            self.rewrite = None

    @contextmanager
    def policed_by(self, look: Judge) -> Iterator[None]:
        """For one of several builds; of this kind for as long as the session lasts. Raises RefusedError (409) while a
        build of the other kind uses it.
        """
        if self.rewrite is not None:
            raise _used()
        self.policed = True
        self.looks.append(look)
        try:
            yield
        finally:
            self.looks.remove(look)


def _used() -> RefusedError:
    return RefusedError(
        "session.used", "This session is used by another build, and each is judged by its own Dockerfile",
        "Run this build again when that one is over, or by itself: then it has a session of its own.", status=409,
    )  # fmt: skip


_ANOTHER_ID = "Run the build again: docker gives each an id of its own, and so should another client."


class _Coming:
    """Those that are waited for, by id: whoever waits for another does not notice."""

    def __init__(self) -> None:
        self._awaited: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()

    async def wait(self, name: str) -> None:
        """Until it comes."""
        event = self._awaited.get(name) or self._awaited.setdefault(name, asyncio.Event())
        await event.wait()

    def came(self, name: str) -> None:
        """It is there."""
        if event := self._awaited.pop(name, None):
            event.set()


@dataclass(kw_only=True)
class Sessions:
    """All open sessions, and the builds that can be cancelled by their own id."""

    _open: dict[str, Session] = field(default_factory=dict)
    _builds: dict[str, str] = field(default_factory=dict)
    _apis: Counter[str] = field(default_factory=Counter)
    _coming_sessions: _Coming = field(default_factory=_Coming)
    _coming_builds: _Coming = field(default_factory=_Coming)

    @contextmanager
    def opened(self, user: DoorUser, session_id: str) -> Iterator[Session]:
        """Raises RefusedError when there is one of this id, or too many of this user's."""
        if session_id in self._open:
            raise RefusedError("session.id", "There is a session of this id", _ANOTHER_ID, status=409)
        if sum(1 for session in self._open.values() if session.account == user.account) >= SESSIONS:
            raise RefusedError("session.many", f"You have {SESSIONS} builds open", "Wait for one.", status=429)
        session = self._open[session_id] = Session(id=session_id, account=user.account)
        self._coming_sessions.came(session_id)
        try:
            yield session
        finally:
            del self._open[session_id]

    @contextmanager
    def speaking(self, user: DoorUser) -> Iterator[None]:
        """A connection of BuildKit's API. Raises RefusedError when this user has too many."""
        if self._apis[user.account] >= APIS:
            raise RefusedError("grpc.many", f"You have {APIS} connections to BuildKit open", "Close some.", status=429)
        self._apis[user.account] += 1
        try:
            yield
        finally:
            self._apis[user.account] -= 1
            if not self._apis[user.account]:
                del self._apis[user.account]

    async def of(self, user: DoorUser, session_id: str) -> Session:
        """This user's session; clients open it in the same moment as they use it, so it may be about to come.
        Raises RefusedError; another's is like none.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while session_id not in self._open:
                    await self._coming_sessions.wait(session_id)
        found = self._open.get(session_id)
        if found is None or found.account != user.account:
            raise RefusedError("session.unknown", f"no active session for {session_id[:64]}", status=404)
        return found

    @contextmanager
    def building(self, user: DoorUser, build_id: str) -> Iterator[None]:
        """A build goes on under this id. Raises RefusedError when one does already."""
        if build_id and build_id in self._builds:
            raise RefusedError("build.id", "There is a build of this id", _ANOTHER_ID, status=409)
        if not build_id:
            yield
            return
        self._builds[build_id] = user.account
        self._coming_builds.came(build_id)
        try:
            yield
        finally:
            del self._builds[build_id]

    async def begun(self, user: DoorUser, build_id: str) -> bool:
        """Whether a build of this user's goes on under this id, or does in a moment."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while build_id not in self._builds:
                    await self._coming_builds.wait(build_id)
        return self.builds(user, build_id)

    def builds(self, user: DoorUser, build_id: str) -> bool:
        """Whether a build of this user's goes on under this id."""
        return self._builds.get(build_id) == user.account
