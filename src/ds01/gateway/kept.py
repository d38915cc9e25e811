"""Sockets that outlive this process: systemd passes the gateway's own, and keeps those of users' containers for it.

A container that mounts a socket has this very one, not whatever is at its path later. So a user's own socket is given
to systemd when it is made (``FDSTORE=1``, for which the unit allows as many as it has users), and taken back after a
restart, however the gateway ended. What connects meanwhile waits.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_FIRST = 3
_OF_USER = "ds01-door-"


@dataclass(frozen=True, kw_only=True)
class Passed:
    """What systemd passed: the gateway's own socket, if it is systemd's, and users' by whose they are."""

    own: socket.socket | None = None
    of_users: Mapping[str, socket.socket] = field(default_factory=dict)


def passed(environment: Mapping[str, str], pid: int) -> Passed:
    """The listening sockets that are meant for this process. Raises OSError when one is no unix socket."""
    if environment.get("LISTEN_PID") != str(pid):
        return Passed()
    count = int(environment.get("LISTEN_FDS", "0"))
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    named = [(names[n] if n < len(names) else "", _unix(_FIRST + n)) for n in range(count)]
    of_users = {name.removeprefix(_OF_USER): found for name, found in named if name.startswith(_OF_USER)}
    return Passed(own=next((found for name, found in named if not name.startswith(_OF_USER)), None), of_users=of_users)


def _unix(descriptor: int) -> socket.socket:
    found = socket.socket(fileno=descriptor)
    if found.family != socket.AF_UNIX:
        raise OSError("the socket that was passed is no unix socket")
    return found


def keep(whose: str, listening: socket.socket) -> None:
    """Give a user's socket to systemd to keep."""
    tell(f"FDSTORE=1\nFDNAME={_OF_USER}{whose}", [listening.fileno()])


def leave(whose: str) -> None:
    """Let systemd keep it no more."""
    tell(f"FDSTOREREMOVE=1\nFDNAME={_OF_USER}{whose}")


def tell(state: str, descriptors: Sequence[int] = ()) -> None:
    """Tell systemd, when it wants to hear."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address.startswith(("/", "@")):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, contextlib.suppress(OSError):
            notify.connect("\0" + address[1:] if address.startswith("@") else address)
            socket.send_fds(notify, [state.encode()], list(descriptors))
