"""The server's loopback: whether a port of it is in use."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


def taken(port: int) -> bool:
    """Whether something listens on a port of loopback already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
        return False
