"""Who is at the other end: the kernel's word, taken once when the connection is made.

The uid is the identity. The pid is never used for a decision: it may belong to somebody else by now.
"""

from __future__ import annotations

import socket
import struct
from collections import Counter
from dataclasses import dataclass, field

from ds01.domain.dockerpolicy.verdict import RefusedError

CONNECTIONS_PER_USER = 1024
_CREDENTIALS = struct.Struct("3i")


def peer_uid(connection: socket.socket) -> int:
    """The uid of the process that connected, as it was then."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(data)[1])


@dataclass(kw_only=True)
class Presence:
    """How many connections each user has open."""

    limit: int = CONNECTIONS_PER_USER
    _open: Counter[int] = field(default_factory=Counter)

    def enter(self, uid: int) -> bool:
        """Count a connection; False when the user has too many."""
        if self._open[uid] >= self.limit:
            return False
        self._open[uid] += 1
        return True

    def leave(self, uid: int) -> None:
        """A connection is gone."""
        self._open[uid] -= 1
        if self._open[uid] <= 0:
            del self._open[uid]

    def count(self, uid: int) -> int:
        """Open connections of a user."""
        return self._open[uid]


def too_many() -> RefusedError:
    """What a user with too many connections reads."""
    return RefusedError(
        "connections.limit", f"You have {CONNECTIONS_PER_USER} connections open", "Close some.", status=429
    )
