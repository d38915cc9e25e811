"""The bytes between this process and a container, when the other side goes away."""

from __future__ import annotations

import socket

from ds01.client.attach import exchange
from ds01.client.http import Stream


def test_a_gateway_that_restarts_ends_the_exchange_and_is_no_mistake() -> None:
    """It has not read all it was sent, so the connection is reset."""
    ours, theirs = socket.socketpair()
    ours.sendall(b"unread")
    theirs.close()
    with ours:
        assert list(exchange(Stream(ours), [b"more"])) == []
