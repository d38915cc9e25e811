"""Whose a connection is. What the gateway has only one of (its thread, its memory) is shared among users, not
connections, of which one user may have a thousand.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from ds01.gateway.buffers import Buffers, Total
from ds01.gateway.turns import Turns
from ds01.gateway.unread import Own, Unread

ASIDE_AT_ONCE = 2
"""Threads in which one user's long texts are judged."""


@dataclass(kw_only=True, eq=False)
class Owner:
    """One user, with what all her connections have together."""

    buffers: Buffers
    unread: Own
    turns: Turns = field(default_factory=Turns)
    aside: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ASIDE_AT_ONCE))


class Owners:
    """Everybody who has, or had, a connection."""

    def __init__(self) -> None:
        self._owners: dict[int, Owner] = {}
        self.buffered = Total()
        self._unread = Unread()

    def of(self, uid: int) -> Owner:
        """One user."""
        owner = self._owners.get(uid)
        if owner is None:
            buffers, unread = Buffers(uid, self.buffered), self._unread.of(uid)
            owner = self._owners[uid] = Owner(buffers=buffers, unread=unread)
        return owner
