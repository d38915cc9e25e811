"""How much of ds01d one user may take up: connections, bytes of a request, and time to send it.

ds01d is one process for everybody. Whoever opens connections without end, or sends a request that never ends, would
otherwise take its memory and its descriptors from all others. Root and the gateway are not counted: they speak for
many.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

CONNECTIONS = 128
"""Connections one user may have open; a command takes one or two, whoever follows events keeps one."""

REQUEST_BYTES = 1024 * 1024
"""The longest request of a user, head and body together."""

REQUEST_SECONDS = 30.0
"""How long a request may take to arrive, and a new connection to say something."""

UNREAD_SECONDS = 300.0
"""How long an answer may wait to be read: until then it is in ds01d's memory."""

CHANGES, CHANGES_PER_SECOND = 5000, 2.0
"""Requests of one user that change something: so many in quick succession, and then so many each second. Each is on
record for good.
"""


class Guests:
    """Counts the connections of every user. ``trusted`` are the uids that are not counted."""

    def __init__(
        self, trusted: frozenset[int], *, seconds: float = REQUEST_SECONDS, unread_seconds: float = UNREAD_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.seconds = seconds
        self.unread_seconds = unread_seconds
        self._trusted = trusted
        self._clock = clock
        self._open: Counter[int] = Counter()
        self._changes: dict[int, tuple[float, float]] = {}

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

    def may_change(self, uid: int | None) -> bool:
        """Count a request that changes something; False when there were too many."""
        if uid is None or self.trusts(uid):
            return uid is not None
        now = self._clock()
        left, since = self._changes.get(uid, (float(CHANGES), now))
        left = min(float(CHANGES), left + (now - since) * CHANGES_PER_SECOND)
        self._changes[uid] = (left - 1 if left >= 1 else left, now)
        return left >= 1

    def leave(self, uid: int | None) -> None:
        """A connection that was counted is gone."""
        if uid is not None and not self.trusts(uid):
            self._open[uid] -= 1
            if self._open[uid] <= 0:
                del self._open[uid]
