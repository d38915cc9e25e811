"""One connection, either side: chunks as the kernel gives them, bounded on both ends, with half-close.

asyncio's own streams copy every byte into a buffer of theirs. Here a chunk is handed on as it came, which is what
keeps a build context at the speed of the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import socket
import sys
import termios
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from ds01.gateway.owner import Owner

READ_LIMIT, SPARING_LIMIT = 1024 * 1024, 64 * 1024
"""Bytes held for a reader before the sender is paused; the same where its owner holds much."""

WRITE_LIMIT = 64 * 1024
"""Bytes held for the other side before a writer waits."""

TAKEN_AT_ONCE = 20
TAKEN_PAUSES = tuple(0.001 * 2**look for look in range(9))
"""How often it is looked whether the other side has read what was sent, and then with which pauses, in seconds."""

LOOK_SECONDS = 5
"""How often it is looked whether one that has no more to say still listens: while nothing is sent it does not tell."""

JOINED_BYTES = 4096
"""Pieces that together are no longer are kept as one: a thousand of one byte would take fifty times what they bring."""

BURST_BYTES = 512 * 1024
"""Of a large body the kernel is asked to take so much at once; it takes what it allows."""

Bytes = bytes | bytearray | memoryview


class SilentError(Exception):
    """Nothing came for too long."""


class Stream(asyncio.Protocol):
    """A connection. One task reads at a time; several may write, each what belongs together at once."""

    def __init__(self) -> None:
        self.taken_within: float | None = None
        """In how many seconds the other side must take something of what is sent; None while it may pause."""
        self._transport: asyncio.Transport | None = None
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._stuck = 0
        """What was counted of what is sent and not taken."""
        self._paused = False
        self._closed = False
        self._owner: Owner | None = None
        self._ended = False
        self._lost = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._gone: asyncio.Future[None] | None = None
        self._left: asyncio.Future[None] | None = None
        self._at_end: Callable[[], None] | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._sink: Stream | None = None
        self._source: Stream | None = None

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_LIMIT)

    def data_received(self, data: bytes) -> None:
        """Keep a chunk, or hand it on; stop the sender when enough is held."""
        if self._sink is not None:
            self._sink.send_on(data)
            return
        if self._closed:
            return
        if self._chunks and len(self._chunks[-1]) + len(data) <= JOINED_BYTES:
            self._chunks[-1] += data
        else:
            self._chunks.append(data)
        self._holds(len(data))
        if self._held >= self._limit and not self._paused:
            self._pause()
        self._wake_reader()

    def eof_received(self) -> bool:
        """The other side has no more to say; it may still listen."""
        self._end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if isinstance(exc, OSError):
            self._last_words()
        self._lost = True
        if self._looking is not None:
            self._looking.cancel()
        self._end()
        self._unstick()
        _wake(self._writer)
        self._wake_in_turn(self._left)

    def _last_words(self) -> None:
        """Take what the other side had sent before it went: where a write failed first, nobody has read it yet."""
        descriptor, taken = self.transport.get_extra_info("socket").fileno(), 0
        with contextlib.suppress(OSError):
            while taken < READ_LIMIT and (data := os.read(descriptor, READ_LIMIT)):
                taken += len(data)
                self.data_received(data)

    def _end(self) -> None:
        self._ended = True
        at_end, self._at_end = self._at_end, None
        if at_end is not None:
            at_end()
        self._wake_reader()
        self._wake_in_turn(self._gone)
        if self._sink is not None:
            self._sink.write_eof()
        if self._left is not None:
            self._look_later()

    def _look_later(self) -> None:
        """Whoever waits for ``left`` is told of a side that neither speaks nor listens."""
        if self._ended and not self._lost:
            self._looking = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """What it said before is sent on first."""
        sends = self._sink is not None and not self._sink._lost and self._sink.transport.get_write_buffer_size()
        sock = self.transport.get_extra_info("socket")
        if not sends and not self.transport.is_closing() and _hung_up(sock.fileno()):
            self.abort()
        else:
            self._look_later()

    def pause_writing(self) -> None:
        """The other side reads slower than we write."""
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_future()
        if self._source is not None:
            self._source.hold()
        self._stick()

    def resume_writing(self) -> None:
        """It caught up."""
        self._unstick()
        _wake(self._writer)
        if self._source is not None:
            self._source.go_on()

    def _wake_reader(self) -> None:
        reader, self._reader = self._reader, None
        self._wake_in_turn(reader)

    def _wake_in_turn(self, waiting: asyncio.Future[None] | None) -> None:
        if waiting is not None and self._owner is not None:
            self._owner.turns.wake(waiting)
        else:
            _wake(waiting)

    # what is held

    @property
    def _limit(self) -> int:
        return SPARING_LIMIT if self._owner is not None and self._owner.buffers.many else READ_LIMIT

    def _holds(self, size: int) -> None:
        self._held += size
        if self._owner is not None:
            self._count(self._owner, size)

    def _lets_go(self, size: int) -> None:
        self._held -= size
        if self._owner is not None:
            self._owner.buffers.remove(size)

    def _count(self, owner: Owner, size: int) -> None:
        if not owner.buffers.add(size):
            self.abort()

    def _stick(self) -> None:
        """Count what is sent while the other side is behind."""
        if self._owner is not None and self._writer is not None and not self._writer.done():
            before, self._stuck = self._stuck, self.transport.get_write_buffer_size()
            self._count(self._owner, self._stuck - before)

    def _unstick(self) -> None:
        if self._owner is not None and self._stuck:
            self._owner.buffers.remove(self._stuck)
        self._stuck = 0

    def _pause(self) -> None:
        self._paused = True
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def _resume(self) -> None:
        self._paused = False
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _forget(self) -> None:
        """Nobody will read what is here."""
        self._closed = True
        self._chunks.clear()
        self._lets_go(self._held)

    # what the gateway calls

    def belongs_to(self, owner: Owner | None) -> None:
        """Whose it is: from now on what comes waits for her turn and is counted as hers. None: nobody's, as it is until
        somebody is named; then nothing waits, and nothing is counted. What is one user's stays hers: another one is a
        mistake of ours (AssertionError).
        """
        if owner is self._owner:
            return
        if self._owner is not None or owner is None:
            raise AssertionError("this connection belongs to somebody already")
        self._owner = owner
        self._count(owner, self._held)

    def keeps(self, size: int) -> None:
        """So many bytes that came here, or will go, are kept elsewhere; negative when they are not any more."""
        if self._owner is not None:
            if size < 0:
                self._owner.buffers.remove(-size)
            else:
                self._count(self._owner, size)

    async def turn(self) -> None:
        """Others have their turn, of its owner's connections too."""
        await (asyncio.sleep(0) if self._owner is None else self._owner.turns.next())

    @property
    def transport(self) -> asyncio.Transport:
        """The transport, once there is one."""
        if self._transport is None:
            raise ConnectionError("not connected")
        return self._transport

    @property
    def holding(self) -> bool:
        """Whether something is here to be read."""
        return bool(self._chunks)

    async def read(self, seconds: float | None = None) -> bytes:
        """The next chunk; empty at the end. Raises SilentError when nothing comes for so long."""
        while not self._chunks:
            if self._ended:
                return b""
            loop = asyncio.get_running_loop()
            reader = self._reader = loop.create_future()
            late = None if seconds is None else loop.call_later(seconds, self._silent, reader)
            try:
                await reader
            finally:
                if late is not None:
                    late.cancel()
        chunk = self._chunks.popleft()
        self._lets_go(len(chunk))
        if self._paused:
            self.go_on()
        return chunk

    def _silent(self, reader: asyncio.Future[None]) -> None:
        """Time is over, unless what came only waits for its turn."""
        if reader is self._reader and not reader.done():
            reader.set_exception(SilentError())

    def at_hand(self, size: int) -> bytes | None:
        """The next ``size`` bytes, where just these came together; nothing is waited for."""
        if not self._chunks or len(self._chunks[0]) != size or self._paused:
            return None
        self._lets_go(size)
        return self._chunks.popleft()

    def hold(self) -> None:
        """Take nothing more of the other side for now."""
        if not self._ended:
            self._pause()

    def go_on(self) -> None:
        """Take again what comes."""
        if not self._lost and self._held < self._limit:
            self._resume()

    def unread(self, data: bytes) -> None:
        """Put back what was read too far."""
        if data:
            self._chunks.appendleft(data)
            self._holds(len(data))

    async def write(self, data: Bytes) -> None:
        """Send, waiting while the other side is behind. Raises ConnectionError when it is gone."""
        if self._lost:
            raise ConnectionResetError("the other side is gone")
        self.transport.write(data)
        self._stick()
        await self.drained()

    async def write_out(self, parts: Sequence[Bytes]) -> None:
        """Send all of a long answer: the other side has taken it, but for what the kernel holds."""
        if self._lost:
            raise ConnectionResetError("the other side is gone")
        self.transport.writelines(parts)
        self._stick()
        await self.emptied()

    async def write_many(self, parts: Iterable[Bytes]) -> None:
        """Send several pieces without joining them."""
        if self._lost:
            raise ConnectionResetError("the other side is gone")
        self.transport.writelines(parts)
        self._stick()
        await self.drained()

    def in_bursts(self) -> None:
        """What is sent from now on is large: the kernel may hold more of it, so that either side wakes less often."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BURST_BYTES)

    async def drained(self) -> None:
        """Wait until there is room to write."""
        if self._writer is not None and not self._writer.done():
            await asyncio.sleep(0)  # the loop asks the kernel first, which mostly takes all of it
        if self._writer is not None and not self._writer.done():
            await self._moving(self._writer, self.taken_within)
        if self._lost:
            raise ConnectionResetError("the other side is gone")

    async def _moving(self, writer: asyncio.Future[None], seconds: float | None) -> None:
        """Wait for room to write, for as long as something is taken in so many. Others may wait for it too."""
        left = self._pending()
        while not (await asyncio.wait([writer], timeout=seconds))[0]:
            before, left = left, self._pending()
            if left >= before and not writer.done():
                self.abort()
                raise ConnectionResetError("the other side reads nothing")

    def _pending(self) -> int:
        """Bytes that are sent and not taken, here and in the kernel."""
        sock = self.transport.get_extra_info("socket")
        return self.transport.get_write_buffer_size() + _unread(sock.fileno())

    async def emptied(self) -> None:
        """Wait until nothing of what was sent is here. Raises ConnectionError when the other side is gone, or takes
        nothing in time.
        """
        if self._lost or not self.transport.get_write_buffer_size():
            return
        self.transport.set_write_buffer_limits(high=0)
        await self.drained()
        if not self.transport.is_closing():
            self.transport.set_write_buffer_limits(high=WRITE_LIMIT)

    async def taken(self) -> None:
        """Wait until the other side has read all that was sent; a moment at most.

        A client that reads a head through a buffer of its own loses what came with it when it goes on without one.
        """
        sock = self.transport.get_extra_info("socket")
        for pause in (0,) * TAKEN_AT_ONCE + TAKEN_PAUSES:
            if self._lost or not (self.transport.get_write_buffer_size() or _unread(sock.fileno())):
                return
            await asyncio.sleep(pause)

    def write_eof(self) -> None:
        """Say that nothing more will be sent."""
        if not self._lost and not self.transport.is_closing():
            with contextlib.suppress(OSError, RuntimeError):
                self.transport.write_eof()

    def close(self) -> None:
        """Send what is held, then close."""
        self._forget()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._forget()
        if self._transport is not None:
            self._transport.abort()

    @property
    def gone(self) -> asyncio.Future[None]:
        """Done when the other side ended or was lost. A reader beside it may go on reading."""
        self._gone = self._gone or _done_when(self._ended)
        return self._gone

    @property
    def left(self) -> asyncio.Future[None]:
        """Done when the connection itself is gone, both ways; a while after, where nothing is sent meanwhile."""
        if self._left is None:
            self._left = _done_when(self._lost)
            self._look_later()
        return self._left

    def at_end(self, what: Callable[[], None]) -> None:
        """Do it once the other side has no more to say, before anybody hears of that."""
        if self._ended:
            what()
        else:
            self._at_end = what

    def join(self, sink: Stream) -> None:
        """From now on what comes is sent to ``sink`` as it comes, and its end too; nobody reads here any more."""
        self._sink, sink._source = sink, self
        chunks, self._chunks = self._chunks, deque()
        self._lets_go(self._held)
        for chunk in chunks:
            sink.send_on(chunk)
        if self._ended:
            sink.write_eof()
        if sink._writer is None or sink._writer.done():
            self.go_on()
        else:
            self.hold()

    def part(self) -> None:
        """Send nothing on any more."""
        if self._sink is not None:
            self._sink._source = None
            self._sink = None

    def send_on(self, data: bytes) -> None:
        """Send what another stream got, which is paused while this side is behind."""
        if not self._lost:
            self.transport.write(data)
            self._stick()


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


def _done_when(over: bool) -> asyncio.Future[None]:
    found: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if over:
        found.set_result(None)
    return found


def _unread(descriptor: int) -> int:
    """What the kernel still holds for the other side of a unix socket; nothing counts as such when it is closed."""
    try:
        return int.from_bytes(fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0" * 4), sys.byteorder)
    except OSError:
        return 0


def _hung_up(descriptor: int) -> bool:
    """Whether the other side has closed both ways; one that only ended its own has not."""
    looked = select.poll()
    looked.register(descriptor, 0)
    return any(event & select.POLLHUP for _, event in looked.poll(0))


def reach(path: str) -> socket.socket:
    """A new connection to a unix socket, of which the loop knows nothing yet. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock


async def stream_of(connection: socket.socket) -> Stream:
    """It as a stream."""
    _, stream = await asyncio.get_running_loop().create_unix_connection(Stream, sock=connection)
    return stream


async def connect(path: str) -> Stream:
    """A new connection to a unix socket."""
    return await stream_of(reach(path))
