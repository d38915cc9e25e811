"""Programs in the container that an SSH client asks for, and the streams that lead to them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from ds01.client.docker import Docker, Exec
from ds01.domain.errors import Ds01Error
from ds01.domain.record import record

_PIECE = 64 * 1024
_SHELL = 'command -v bash >/dev/null 2>&1 && exec bash "$@"; exec sh "$@"'
_SFTP = (
    "for found in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/lib/ssh/sftp-server; do"
    ' [ -x "$found" ] && exec "$found"; done; exit 127'
)
_CONNECT = """
import os, socket, sys, threading
to = sys.argv[1:]
out = socket.create_connection((to[0], int(to[1]))) if len(to) > 1 else socket.socket(socket.AF_UNIX)
len(to) > 1 or out.connect(to[0])
def take():
    for data in iter(lambda: os.read(0, 65536), b""):
        out.sendall(data)
    out.shutdown(socket.SHUT_WR)
threading.Thread(target=take, daemon=True).start()
for data in iter(lambda: out.recv(65536), b""):
    while data:
        data = data[os.write(1, data):]
"""
_TO = (
    'if command -v python3 >/dev/null; then exec python3 -c "$0" "$@"; fi;'
    ' if [ $# = 2 ] && command -v nc >/dev/null; then exec nc "$@"; fi;'
    ' if [ $# = 2 ] && command -v socat >/dev/null; then exec socat - "TCP:$1:$2"; fi; exit 127'
)


class Reader(Protocol):
    """What comes from the laptop."""

    async def read(self, n: int = -1) -> bytes: ...


class Writer(Protocol):
    """What goes to the laptop."""

    def write(self, data: bytes) -> None: ...
    async def drain(self) -> None: ...


@record
class Inside:
    """The container that is meant."""

    docker: Docker
    container: str
    name: str


@record
class Wanted:
    """A program. ``command`` empty: a shell; ``size`` is that of the terminal, None for pipes."""

    command: str | None = None
    sftp: bool = False
    variables: Mapping[str, str]
    size: tuple[int, int] | None = None

    def words(self) -> tuple[str, ...]:
        """How it is started. It sets the terminal's size itself: the engine takes that only once the program runs."""
        if self.sftp:
            return ("/bin/sh", "-c", _SFTP)
        sized = "" if self.size is None else f"stty rows {self.size[0]} cols {self.size[1]} 2>/dev/null; "
        shell = ("/bin/sh", "-c", sized + _SHELL, "sh")
        return shell if self.command is None else (*shell, "-c", self.command)


class Stream:
    """A program that runs: its input, its output, its end."""

    def __init__(self, docker: Docker, name: str, sock: socket.socket, ahead: bytes, *, tty: bool) -> None:
        self._docker, self._name, self._sock, self._tty = docker, name, sock, tty
        self._waiting = bytearray(ahead)
        sock.setblocking(False)

    async def send(self, data: bytes) -> None:
        """To its input."""
        await asyncio.get_running_loop().sock_sendall(self._sock, data)

    def no_more(self) -> None:
        """The end of its input. On a terminal there is none: the engine would end its output, too."""
        if self._tty:
            return
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    async def pieces(self) -> AsyncIterator[tuple[int, bytes]]:
        """What it writes: 1 for output, 2 for errors."""
        loop = asyncio.get_running_loop()
        while True:
            for piece in self._whole():
                yield piece
            try:
                data = await loop.sock_recv(self._sock, _PIECE)
            except ConnectionError:
                return
            if not data:
                return
            self._waiting += data

    def _whole(self) -> list[tuple[int, bytes]]:
        found = []
        if self._tty and self._waiting:
            found.append((1, bytes(self._waiting)))
            self._waiting.clear()
        while not self._tty and len(self._waiting) >= 8:
            end = 8 + int.from_bytes(self._waiting[4:8], "big")
            if len(self._waiting) < end:
                break
            found.append((self._waiting[0], bytes(self._waiting[8:end])))
            del self._waiting[:end]
        return found

    async def resize(self, rows: int, columns: int) -> None:
        """The laptop's window has another size now."""
        with contextlib.suppress(Ds01Error):  # the program may just have ended
            await asyncio.to_thread(self._docker.exec_resize, self._name, rows, columns)

    async def code(self) -> int:
        """How it ended; the engine may notice a moment after the stream does."""
        for _ in range(100):
            state = await asyncio.to_thread(self._docker.exec_state, self._name)
            if not state.running:
                return state.code
            await asyncio.sleep(0.02)
        return 255

    def close(self) -> None:
        """Let go of it."""
        self._sock.close()


async def start(inside: Inside, words: tuple[str, ...], variables: Mapping[str, str], *, tty: bool) -> Stream:
    """Start a program. Raises Ds01Error."""
    program = Exec(command=words, tty=tty, environment=variables)
    name = await asyncio.to_thread(inside.docker.exec_create, inside.container, program)
    stream = await asyncio.to_thread(lambda: inside.docker.exec_start(name, tty=tty))
    whole = socket.socket(fileno=stream.sock.detach())
    return Stream(inside.docker, name, whole, bytes(stream.ahead), tty=tty)


async def connect(inside: Inside, target: tuple[str, ...], reader: Reader, writer: Writer) -> None:
    """A connection that begins inside: to a host and port as the container sees them, or to a unix socket there."""
    try:
        stream = await start(inside, ("/bin/sh", "-c", _TO, _CONNECT, *target), {}, tty=False)
    except Ds01Error:
        return  # closing the channel is all that SSH can say here
    try:
        sending = asyncio.create_task(_send(reader, stream))
        async for kind, data in stream.pieces():
            if kind == 1:
                writer.write(data)
                await writer.drain()
        sending.cancel()
    finally:
        stream.close()


async def _send(reader: Reader, stream: Stream) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_PIECE):
            await stream.send(data)
    stream.no_more()
