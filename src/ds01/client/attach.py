"""A program in a container, connected to this process: its terminal, or its pipes.

The terminal is raw while it lasts and is as before afterwards, whatever happens. ``ctrl-p ctrl-q`` leaves the program
running. Leaving never stops anything: a lost connection is told apart from an end.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterable, Iterator

from ds01.client.docker import Docker, Exec, frames
from ds01.client.http import SHUT_WR, Socket, Stream
from ds01.client.screen import PIECE, DetachKeys, Ended, raw, write
from ds01.domain.errors import DAEMON_DOWN, Ds01Error
from ds01.domain.record import replace

_ENDING_SECONDS = 2.0
_TELLING_SECONDS = 0.02
_TELLING_TRIES = 100
_NOT_STARTED = (126, 127)
_REFUSAL = b"OCI runtime exec failed"
"""How the engine begins, on the program's own output, when it could not start it."""


def attach(docker: Docker, container: str, program: Exec) -> Ended:
    """Run ``program`` with this process's input and output; returns when it ends or is left."""
    name = docker.exec_create(container, program)
    stream = docker.exec_start(name, tty=program.tty)
    try:
        with _terminal(docker, name) if program.tty else contextlib.nullcontext() as screen:
            pump = _Pump(stream, program, screen)
            left = pump.run()
    finally:
        stream.sock.close()
    if left:
        return Ended(left=True)
    ended = _ended(docker, name)
    if pump.refusal and ended.code in _NOT_STARTED:
        return replace(ended, refused=pump.refusal.decode(errors="replace").strip())
    write(1, pump.refusal)
    return ended


def collect(docker: Docker, container: str, program: Exec, feed: Iterable[bytes] = ()) -> Iterator[tuple[int, bytes]]:
    """Run ``program`` on ``feed``; yields its output (1) and errors (2), then ``(0, exit code)``."""
    name = docker.exec_create(container, program)
    stream = docker.exec_start(name, tty=False)
    try:
        yield from frames(exchange(stream, feed))
    finally:
        stream.sock.close()
    ended = _ended(docker, name)
    if ended.lost:
        raise Ds01Error(DAEMON_DOWN, "The connection to the container was lost.", hint="Try again in a moment.")
    yield 0, str(ended.code).encode()


def exchange(stream: Stream, feed: Iterable[bytes]) -> Iterator[bytes]:
    """Send everything and receive everything, neither waiting for the other."""
    sock = stream.sock
    sock.setblocking(False)
    pieces = iter(feed)
    sending: memoryview | None = memoryview(next(pieces, b""))
    if stream.ahead:
        yield stream.some()
    while True:
        if sending is not None and not sending:
            sending = _next_piece(sock, pieces)
        readable, writable, _ = select.select([sock], [sock] if sending else [], [])
        if writable and sending:
            try:
                sending = sending[sock.send(sending) :]
            except (BrokenPipeError, ConnectionResetError):
                sending = None
        if readable:
            data = _received(sock)
            if not data:
                return
            yield data


def _received(sock: Socket) -> bytes:
    """The next bytes; none when the other side ended, whichever way: who asks how it ended is told."""
    try:
        return sock.recv(PIECE)
    except (BrokenPipeError, ConnectionResetError):
        return b""


def _next_piece(sock: Socket, pieces: Iterator[bytes]) -> memoryview | None:
    for piece in pieces:
        if piece:
            return memoryview(piece)
    with contextlib.suppress(OSError):
        sock.shutdown(SHUT_WR)
    return None


def _ended(docker: Docker, name: str) -> Ended:
    """The exit code; the engine may notice the end a moment after the stream does."""
    deadline = time.monotonic() + _ENDING_SECONDS
    while True:
        try:
            state = docker.exec_state(name)
        except Ds01Error:
            return Ended(lost=True)
        if not state.running:
            return Ended(code=state.code)
        if time.monotonic() > deadline:
            return Ended(lost=True)
        time.sleep(0.02)


class _Screen:
    """The size of this terminal, told to the program: when it runs, which may be a moment after the engine says that
    it was started, and after every change. ``resized`` is a file descriptor that is readable after a change.
    """

    def __init__(self, docker: Docker, name: str, resized: int) -> None:
        self._docker = docker
        self._name = name
        self._tries = _TELLING_TRIES
        self.resized = resized

    @property
    def patience(self) -> float | None:
        """Seconds to wait before telling again; None when there is nothing to tell."""
        return _TELLING_SECONDS if self._tries else None

    def tell(self) -> None:
        """Try; without success it is tried again, until the program has had the time it takes to start or to end."""
        size = os.get_terminal_size(sys.stdout.fileno())
        try:
            self._docker.exec_resize(self._name, size.lines, size.columns)
            self._tries = 0
        except Ds01Error:
            self._tries -= 1

    def look(self) -> None:
        """The size changed, or was not told yet."""
        if select.select([self.resized], [], [], 0)[0]:
            os.read(self.resized, 64)
            self._tries = _TELLING_TRIES
        if self._tries:
            self.tell()


@contextlib.contextmanager
def _terminal(docker: Docker, name: str) -> Iterator[_Screen]:
    """The terminal in raw mode, and its size told."""
    with raw() as resized:
        screen = _Screen(docker, name, resized)
        screen.tell()
        yield screen


class _Pump:
    """Moves bytes between this process and the stream until the stream ends."""

    def __init__(self, stream: Stream, program: Exec, screen: _Screen | None) -> None:
        self._stream = stream
        self._sock = stream.sock
        self._tty = program.tty
        self._input: int | None = sys.stdin.fileno() if program.stdin else None
        self._screen = screen
        self._sending = b""
        self._keys = DetachKeys() if program.tty else None
        self._begun = False
        self.refusal = b""
        """Output that reads as if the engine could not start the program: not shown yet."""

    def run(self) -> bool:
        """Until the stream ends, or the user leaves it: then True."""
        self._sock.setblocking(False)
        for kind, data in self._received() if self._tty else frames(data for _, data in self._received()):
            if self.refusal or (not self._begun and data.startswith(_REFUSAL)):
                self.refusal += data
            else:
                write(2 if kind == 2 else 1, data)
            self._begun = True
        return self._left

    @property
    def _left(self) -> bool:
        return self._keys is not None and self._keys.pressed

    def _received(self) -> Iterator[tuple[int, bytes]]:
        if self._stream.ahead:
            yield 1, self._stream.some()
        if self._input is None:
            self._no_more_input()
        while True:
            patience = self._screen.patience if self._screen else None
            readable, writable, _ = select.select(self._readers(), [self._sock] if self._sending else [], [], patience)
            if writable:
                self._send()
            if self._screen is not None:
                self._screen.look()
            if self._input in readable:
                self._read_input()
            if self._left and not self._sending:
                return
            if self._sock in readable:
                data = _received(self._sock)
                if not data:
                    return
                yield 1, data

    def _readers(self) -> list[int | Socket]:
        readers: list[int | Socket] = [self._sock]
        if self._input is not None and not self._sending:
            readers.append(self._input)
        if self._screen is not None:
            readers.append(self._screen.resized)
        return readers

    def _read_input(self) -> None:
        assert self._input is not None
        data = os.read(self._input, PIECE)
        if not data:
            self._input = None
            self._no_more_input()
            return
        self._sending = self._keys.sift(data) if self._keys else data
        self._send()

    def _send(self) -> None:
        if not self._sending:
            return
        try:
            self._sending = self._sending[self._sock.send(self._sending) :]
        except BlockingIOError:
            return
        except (BrokenPipeError, ConnectionResetError):
            self._sending, self._input = b"", None

    def _no_more_input(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(SHUT_WR)
