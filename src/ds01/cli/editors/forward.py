"""A port of the server's loopback that leads to a socket, for laptops whose ``ssh`` cannot lead to a socket itself.

Every user of the server can connect to a loopback port, so whoever does is looked up: the kernel's table of connections
has the uid behind each. A tunnel's end belongs to the account that logged in; everybody else is turned away.
"""

from __future__ import annotations

import asyncio
import contextlib
import os

from ds01.cli.editors.loopback import LOOPBACK
from ds01.cli.editors.running import Running, connected

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_ESTABLISHED = "01"


def owner(ours: int, theirs: int) -> int | None:
    """The uid that connected from loopback port ``theirs`` to ``ours``; None when the kernel knows of none."""
    for table in _TABLES:
        with contextlib.suppress(FileNotFoundError), open(table, encoding="ascii") as file:
            for line in file:
                part = line.split()
                if part[3] == _ESTABLISHED and _is(part[1], theirs) and _is(part[2], ours):
                    return int(part[7])
    return None


def _is(address: str, port: int) -> bool:
    """Whether an entry of the table is this port of 127.0.0.1, which is written backwards there."""
    host, _, number = address.rpartition(":")
    return host[-8:] == "0100007F" and host[:-8] in ("", "0000000000000000FFFF0000") and int(number, 16) == port


async def forward(running: Running) -> None:
    """Lead the editor's port to its socket until cancelled."""
    allowed = {os.geteuid(), 0}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if owner(running.port, writer.get_extra_info("peername")[1]) not in allowed:
                return
            inner, outer = await asyncio.open_unix_connection(sock=_open(running.socket))
            await asyncio.gather(_pass_on(reader, outer), _pass_on(inner, writer))
            outer.close()
        except OSError:
            return  # the program has ended: the browser says so
        finally:
            writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, running.port)
    async with server:
        await server.serve_forever()


def _open(path: str) -> object:
    made = connected(path)
    made.setblocking(False)
    return made


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()
