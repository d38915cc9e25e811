"""Connections are counted while they are there, and no longer."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from ds01.gateway.identity import Peer, Presence
from ds01.gateway.listen import Listener, own_socket
from ds01.gateway.stream import Stream

UID = 1002


class Nobody:
    """Serves nobody."""

    async def serve(self, client: Stream, peer: Peer) -> None:
        raise AssertionError(peer)


async def test_a_connection_that_is_never_served_counts_no_more(tmp_path: Path) -> None:
    """The listener is closed in the moment in which it took one: its task ends before it begins."""
    taken, presence = asyncio.Event(), Presence()

    def identify(_: socket.socket) -> int:
        taken.set()
        return UID

    listener = Listener(Nobody(), presence, identify)
    await listener.listen(own_socket(tmp_path / "g.sock"))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "g.sock"))
        await taken.wait()
        assert presence.there(UID)
        await listener.close()
        assert not presence.there(UID)
        assert client.recv(1) == b""
