"""Who is at the other end: the kernel's word, taken once when the connection is made.

The uid is the identity. The pid is never used for a decision: it may belong to somebody else by now. The record also
has who logged in to the session the program runs in, which ``su`` and ``sudo`` do not change.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass, field

from ds01.domain.dockerpolicy.verdict import RefusedError, UnrecordedError

CONNECTIONS_PER_USER = 1024
_CREDENTIALS = struct.Struct("3i")
_UNSET = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Who is at the other end, ``since`` when. ``login_uid`` is for the record alone; None where none is known.

    ``account`` is whose socket it is, as ``uid:epoch``; empty for the one that everybody connects to.
    """

    uid: int
    account: str = ""
    login_uid: int | None = None
    since: float = field(default_factory=time.monotonic)


def peer_uid(connection: socket.socket) -> int:
    """The uid of the process that connected, as it was then."""
    return _credentials(connection)[1]


def login_uid(connection: socket.socket) -> int | None:
    """Who logged in to the session of the process that connected, as the kernel's audit knows it."""
    try:
        descriptor = os.open(f"/proc/{_credentials(connection)[0]}/loginuid", os.O_RDONLY)
        try:
            found = int(os.read(descriptor, 32))
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return None
    return None if found == _UNSET else found


def _credentials(connection: socket.socket) -> tuple[int, int]:
    """The pid and the uid."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(data)
    return int(pid), int(uid)


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

    def there(self, uid: int) -> bool:
        """Whether a user has any open."""
        return uid in self._open


def too_many() -> RefusedError:
    """What a user with too many connections reads."""
    return UnrecordedError(
        "connections.limit", f"You have {CONNECTIONS_PER_USER} connections open", "Close some.", status=429
    )
