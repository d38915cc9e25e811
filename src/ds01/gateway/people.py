"""Who a uid is, and when what somebody has going on ends.

ds01d says who somebody is, and that is believed for a while. A new connection has the server's directory asked whether
the account is still the same; and what goes on ends with its account, or when its user may not any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import pwd
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.door import Door
from ds01.gateway.held import DoorDownError
from ds01.gateway.ongoing import Going, Ongoing
from ds01.wire.door import DoorUser

STALE_SECONDS = 60.0
"""How long what ds01d said is good for when it is away."""

USER_SECONDS = 20.0
"""How long an identity is good for before ds01d is asked again."""

OVER_SECONDS = 10.0
"""How long somebody's streams go on before ds01d is asked who she is now."""

NEAR_SECONDS = 2.0
"""The same for the server's own files, which tell of an account as soon as it is gone."""

LOOK_SECONDS = 1.0
"""How long the server's directory may take to say whether an account is still the same."""


def login_of(uid: int) -> str:
    """The name of the account with this uid; empty when there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return ""


@dataclass(frozen=True, kw_only=True)
class _Look:
    """A look into the directory that goes on, and when it began."""

    began_at: float
    name: asyncio.Future[str]


@dataclass(kw_only=True)
class _Known:
    """Who a uid was when ds01d was asked, and when the directory was looked into last."""

    user: DoorUser | None
    asked_at: float
    looked_at: float
    local: str | None
    """The account's name in the server's own files then."""

    @property
    def login(self) -> str:
        """The account's name; empty when there was none."""
        return self.user.login if self.user else ""


def _apart(look: Callable[[], str]) -> asyncio.Future[str]:
    """What a look tells, from a thread of its own: where it hangs, nothing else waits for it, not even the end."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[str] = loop.create_future()

    def run() -> None:
        try:
            tell = partial(found.set_result, look())
        except Exception as error:  # noqa: BLE001  whatever it is, whoever waits is told
            tell = partial(found.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell)

    threading.Thread(target=run, name="directory", daemon=True).start()
    return found


class People:
    """Users as ds01d knows them, and what they have going on."""

    def __init__(
        self, door: Door, clock: Callable[[], float], login: Callable[[int], str], local: Callable[[int], str | None],
        hers: Callable[[DoorUser, str], bool],
    ) -> None:  # fmt: skip
        """``login`` says by which name the server's directory knows a uid, ``local`` the same at once, where it can;
        ``hers`` whether a user may see a container.
        """
        self.ongoing = Ongoing()
        self._door = door
        self._clock = clock
        self._login = login
        self._local = local
        self._hers = hers
        self._users: dict[int, _Known] = {}
        self._looks: dict[int, _Look] = {}
        self._changed = asyncio.Event()
        self._changes = 0

    def changed(self) -> None:
        """ds01d says that somebody is another now, or it was away."""
        self._changes += 1
        self._users.clear()
        self._changed.set()

    async def user(self, uid: int, since: float = -math.inf) -> DoorUser | None:
        """Who this uid is. While ds01d is away, who it was a minute ago.

        What was learned before ``since``, when a connection began, is believed when the directory still has that name.
        """
        known, now = self._users.get(uid), self._clock()
        if known is not None and known.looked_at < since and not await self._same(uid, known):
            known = None
            self._changed.set()
        if known is not None and now - known.asked_at < USER_SECONDS:
            return known.user
        try:
            return await self._user_now(uid)
        except DoorDownError:
            if known is not None and now - known.asked_at < STALE_SECONDS:
                return known.user
            raise

    async def _same(self, uid: int, known: _Known) -> bool:
        """Whether the account is the one it was. A directory that does not answer says nothing new."""
        now = self._clock()
        if self._local(uid) != known.login:
            look = self._look(uid)
            if (await asyncio.wait({look.name}, timeout=LOOK_SECONDS))[0]:
                if look.name.result() != known.login:
                    return False
                now = look.began_at
        known.looked_at = max(known.looked_at, now)
        return True

    def _look(self, uid: int) -> _Look:
        """The look for this uid that goes on, or a new one: a directory that hangs is asked once for each."""
        if uid not in self._looks:
            self._looks[uid] = _Look(began_at=self._clock(), name=_apart(partial(self._login, uid)))
            self._looks[uid].name.add_done_callback(lambda _: self._looks.pop(uid))
        return self._looks[uid]

    async def _user_now(self, uid: int) -> DoorUser | None:
        """Who ds01d says this is. What it may have said before somebody changed is not kept."""
        now, local, changes = self._clock(), self._local(uid), self._changes
        found = await self._door.user(uid)
        if changes == self._changes:
            self._users[uid] = _Known(user=found, asked_at=self._clock(), looked_at=now, local=local)
        return found

    async def keep_ending(self) -> None:
        """End what may not go on, for as long as the gateway runs: when ds01d says that people changed, when an account
        changes in the server's own files, and when those who have something going on have not been looked at for a
        while, because nobody tells of an account that a directory has no more.
        """
        looked_at = self._clock()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), NEAR_SECONDS)
            told = self._changed.is_set() or self._otherwise()
            if told or self._clock() - looked_at >= OVER_SECONDS:
                self._changed.clear()
                await self.end_of_people()
                looked_at = self._clock()

    def _otherwise(self) -> bool:
        """Whether the server's own files call one of them otherwise than when ds01d was asked who she is."""
        known = {uid: self._users.get(uid) for uid in self.ongoing.uids()}
        return any(found is None or found.local != self._local(uid) for uid, found in known.items())

    async def end_of_people(self) -> None:
        """End the streams of those who are not who they were. While ds01d is away nobody knows, and all go on."""
        for uid in self.ongoing.uids():
            try:
                found = await self._user_now(uid)
            except (DoorDownError, RefusedError):
                return
            self.ongoing.end(partial(self._is_over, uid, found))

    def _is_over(self, uid: int, found: DoorUser | None, going: Going) -> bool:
        """Of somebody who is no admin any more what is her own goes on."""
        if going.user.uid != uid:
            return False
        if found is None or found.account != going.user.account:
            return True
        return going.user.admin and not found.admin and not self._hers(found, going.subject)
