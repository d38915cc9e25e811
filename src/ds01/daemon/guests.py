"""How much of ds01d one user may take up: connections, bytes of a request, and time to send it.

ds01d is one process for everybody. Whoever opens connections without end, or sends a request that never ends, would
otherwise take its memory and its descriptors from all others. Root and the gateway are not counted: they speak for
many.
"""

from __future__ import annotations

from collections import Counter

CONNECTIONS = 128
"""Connections one user may have open; a command takes one or two, whoever follows events keeps one."""

REQUEST_BYTES = 1024 * 1024
"""The longest request of a user, head and body together."""

REQUEST_SECONDS = 30.0
"""How long a request may take to arrive, and a new connection to say something."""

UNREAD_SECONDS = 300.0
"""How long an answer may wait to be read: until then it is in ds01d's memory."""


class Guests:
    """Counts the connections of every user. ``trusted`` are the uids that are not counted."""

    def __init__(
        self, trusted: frozenset[int], *, seconds: float = REQUEST_SECONDS, unread_seconds: float = UNREAD_SECONDS
    ) -> None:
        self.seconds = seconds
        self.unread_seconds = unread_seconds
        self._trusted = trusted
        self._open: Counter[int] = Counter()

    def trusts(self, uid: int | None) -> bool:
        """Whether this one speaks for many."""
        return uid in self._trusted

    def enter(self, uid: int | None) -> bool:
        """Count a connection; False when this one is too many, or nobody's."""
        if self.trusts(uid):
            return True
        if uid is None or self._open[uid] >= CONNECTIONS:
            return False
        self._open[uid] += 1
        return True

    def leave(self, uid: int | None) -> None:
        """A connection that was counted is gone."""
        if uid is not None and not self.trusts(uid):
            self._open[uid] -= 1
            if self._open[uid] <= 0:
                del self._open[uid]
