"""One HTTP/2 connection, either side of it: calls come in or go out, bounded by flow control.

The h2 package knows the protocol and touches no socket; here its frames meet a ``Stream``. What nobody reads is not
acknowledged, so a slow reader stops its sender: at most ``CALL_BYTES`` are held for each call. Few frames are taken in
at a time, and those that carry nothing are counted (``frames``).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import structlog
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes

from ds01.gateway.h2.frames import AT_ONCE, Counted, Cutter, Spare
from ds01.gateway.stream import Stream

_LOG = structlog.get_logger("ds01.gateway.h2")

CALLS = 64
"""Calls that may go on at once on one connection."""

CALL_BYTES = 256 * 1024
HEADER_BYTES = 32 * 1024
"""Of one call's or answer's headers, counted as HTTP/2 does: each as 32 bytes more than it has."""

_FIRST_WINDOW = 65535

Headers = Sequence[tuple[str, str]]


class CallLostError(ConnectionError):
    """The other side gave up this call, or the connection is gone. ``code`` is HTTP/2's."""

    def __init__(self, code: int = ErrorCodes.CANCEL) -> None:
        super().__init__(f"the call was given up ({code})")
        self.code = code


class Call:
    """One call. One task reads it and one writes it."""

    def __init__(self, link: Link, number: int, headers: Headers = ()) -> None:
        self.headers = headers
        """The request's on the side that is called; the answer's, once ``answered``, on the other."""
        self.trailers: Headers = ()
        self._link = link
        self.number = number
        self._came = bytearray()
        self._counted = 0
        self._ended = False
        self._lost: int | None = None
        self._changed = asyncio.Event()

    async def answered(self) -> Headers:
        """The answer's headers. Raises CallLostError."""
        while not self.headers:
            await self._wait()
        return self.headers

    async def read(self) -> bytes:
        """The next bytes; empty at the end, when ``trailers`` are known. Raises CallLostError."""
        while not self._came:
            if self._ended:
                return b""
            await self._wait()
        data = bytes(self._came)
        self._link.took(self, self.unread())
        return data

    async def _wait(self) -> None:
        if self._lost is not None:
            raise CallLostError(self._lost)
        self._changed.clear()
        await self._changed.wait()

    async def send_headers(self, headers: Headers, *, end: bool = False) -> None:
        """Headers, or trailers with ``end``."""
        self._check()
        await self._link.do(lambda h2: h2.send_headers(self.number, list(headers), end_stream=end))

    async def write(self, data: bytes) -> None:
        """Send, waiting until the other side takes it. Raises CallLostError."""
        with self.keeping() as keep:
            keep(len(data))
            await self._write(memoryview(data))

    async def _write(self, view: memoryview) -> None:
        while view:
            self._check()
            room = self._link.room(self.number)
            if room <= 0:
                await self._link.more_room(self)
                continue
            piece, view = bytes(view[:room]), view[room:]
            await self._link.do(partial(_send, self.number, piece))
            self._link.sent()

    @contextmanager
    def keeping(self) -> Iterator[Callable[[int], None]]:
        """Count what is kept to be sent by this call, as its connection's owner's; ``keep`` is told how many bytes,
        negative when they are not kept any more. What is left is given back at the end, whatever it is.
        """
        kept = 0

        def keep(size: int) -> None:
            nonlocal kept
            kept += size
            self._link.keeps(size)

        try:
            yield keep
        finally:
            keep(-kept)

    async def end(self) -> None:
        """Nothing more will be sent."""
        self._check()
        await self._link.do(lambda h2: h2.end_stream(self.number))

    async def give_up(self, code: int = ErrorCodes.CANCEL) -> None:
        """Tell the other side that this call is over; nothing happens when it is."""
        if self._lost is None and self._link.forget(self):
            with contextlib.suppress(ConnectionError):
                await self._link.do(lambda h2: h2.reset_stream(self.number, code))

    def _check(self) -> None:
        if self._lost is not None:
            raise CallLostError(self._lost)

    # what the link tells

    def got(self, data: bytes, counted: int) -> None:
        """Some of the other side's bytes."""
        self._came += data
        self._counted += counted
        self._changed.set()

    def ended(self) -> None:
        """The other side has no more to say."""
        self._ended = True
        self._changed.set()

    def lost(self, code: int) -> None:
        """The call is over before its end."""
        self._lost = code if self._lost is None else self._lost
        self._changed.set()

    def changed(self) -> None:
        """Something this call may wait for."""
        self._changed.set()

    @property
    def complete(self) -> bool:
        """Whether all there is to read has come, read or not."""
        return self._ended

    def unread(self) -> int:
        """Keep nothing of what has come; how much that was, as flow control counts."""
        counted, self._counted = self._counted, 0
        self._came.clear()
        return counted


def _now() -> float:
    return asyncio.get_running_loop().time()


def _send(number: int, data: bytes, h2: H2Connection) -> None:
    h2.send_data(number, data)


Accept = Callable[[Call], Coroutine[Any, Any, None]]


class Link:
    """A connection. With ``accept`` it is called by the other side, each call a task; without, it calls."""

    def __init__(self, stream: Stream, accept: Accept | None = None, *, header_bytes: int = HEADER_BYTES) -> None:
        self._stream = stream
        self._accept = accept
        self._h2 = H2Connection(H2Configuration(client_side=accept is None, header_encoding="utf-8"))
        self._calls: dict[int, Call] = {}
        self._tasks: dict[Call, asyncio.Task[None]] = {}
        self._room = asyncio.Event()
        self._over = False
        self._kept: int | None = 0
        self._cutter = Cutter(preface=accept is not None)
        self._spare = Spare(_now())
        self._begin(header_bytes)

    async def run(self) -> None:
        """Serve until the connection ends, by the other side or by a mistake of it."""
        try:
            await self._flush()
            while not self._over and (data := await self._stream.read()):
                for piece, found in self._cutter.pieces(data):
                    await self._taken_in(piece, found)
                if self._stream.holding:
                    await self._stream.turn()
        except (H2Error, ConnectionError, UnicodeDecodeError, ValueError):
            with contextlib.suppress(ConnectionError):
                await self._flush()
        finally:
            await self._end()

    async def _taken_in(self, piece: bytes, found: Counted) -> None:
        """What some frames say, and what is said to them; then others have their turn."""
        if self._over:
            return
        if not self._spare.takes(found, _now()):
            self._h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM, b"DS01: too many frames that carry nothing")
            self._over = True
        else:
            for event in self._h2.receive_data(piece):
                self._happened(event)
        await self._flush()
        if found.all >= AT_ONCE:
            await self._stream.turn()

    def sent(self) -> None:
        """Data was sent: what acknowledges it carries nothing."""
        self._spare.sent()

    async def _end(self) -> None:
        self._over = True
        for call in self._calls.values():
            call.lost(ErrorCodes.CANCEL)
        self._room.set()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.keeps(-(self._kept or 0))
        self._kept = None

    def keeps(self, counted: int) -> None:
        """Count what calls hold, for as long as there is a connection by which it came, or will go."""
        if self._kept is not None:
            self._kept += counted
            self._stream.keeps(counted)

    def _begin(self, header_bytes: int) -> None:
        self._h2.initiate_connection()
        self._h2.decoder.max_header_list_size = header_bytes  # also while the other side has not agreed to it
        wanted: dict[SettingCodes | int, int] = {
            SettingCodes.INITIAL_WINDOW_SIZE: CALL_BYTES,
            SettingCodes.MAX_CONCURRENT_STREAMS: CALLS,
            SettingCodes.MAX_HEADER_LIST_SIZE: header_bytes,
        }
        if self._accept is None:
            wanted[SettingCodes.ENABLE_PUSH] = 0
        self._h2.update_settings(wanted)
        self._h2.increment_flow_control_window(CALLS * CALL_BYTES - _FIRST_WINDOW)

    def _happened(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=number, headers=headers) if number is not None:
                self._called(number, [(str(name), str(value)) for name, value in headers or ()])
            case ResponseReceived(stream_id=number, headers=headers) if number in self._calls:
                self._calls[number].headers = [(str(name), str(value)) for name, value in headers or ()]
                self._calls[number].changed()
            case TrailersReceived(stream_id=number, headers=headers) if number in self._calls:
                self._calls[number].trailers = [(str(name), str(value)) for name, value in headers or ()]
            case DataReceived(stream_id=number, data=data, flow_controlled_length=counted):
                self._data(number or 0, bytes(data or b""), counted or 0)
            case StreamEnded(stream_id=number) if number in self._calls:
                self._calls[number].ended()
            case StreamReset(stream_id=number, error_code=code) if number in self._calls:
                self._given_up(self._calls[number], int(code or 0))
            case WindowUpdated() | RemoteSettingsChanged():
                self._wake()
            case ConnectionTerminated():
                self._over = True

    def _called(self, number: int, headers: Headers) -> None:
        if self._accept is None or len(self._tasks) >= CALLS:
            self._h2.reset_stream(number, ErrorCodes.REFUSED_STREAM)
            return
        call = Call(self, number, headers)
        self._calls[number] = call
        task = asyncio.create_task(self._served(self._accept, call))
        self._tasks[call] = task
        task.add_done_callback(lambda _: self._tasks.pop(call, None))

    async def _served(self, accept: Accept, call: Call) -> None:
        """A call's task; whatever ends it, the other side is told."""
        try:
            await accept(call)
        except ConnectionError as error:
            _LOG.debug("call.lost", number=call.number, reason=str(error))
        except Exception:  # noqa: BLE001  a mistake of ours ends this call, not the others
            _LOG.exception("internal", number=call.number)
        finally:
            await call.give_up()

    def _given_up(self, call: Call, code: int) -> None:
        """The other side gave up a call: whoever serves it stops. One that had its whole answer has it still."""
        if self._accept is None and call.complete:
            self._wake()
            return
        self.forget(call)
        call.lost(code)
        self._wake()
        task = self._tasks.get(call)
        if task is not None:
            task.cancel()

    def _data(self, number: int, data: bytes, counted: int) -> None:
        call = self._calls.get(number)
        if call is None:
            self._acknowledge(number, counted)
        else:
            self.keeps(counted)
            call.got(data, counted)

    def _wake(self) -> None:
        self._room.set()
        self._room = asyncio.Event()

    # what calls ask for

    async def call(self, headers: Headers) -> Call:
        """A new call to the other side. Raises CallLostError when the connection is gone or full."""
        if self._over:
            raise CallLostError
        try:
            call = Call(self, self._h2.get_next_available_stream_id())
        except H2Error as error:
            raise CallLostError from error
        self._calls[call.number] = call
        try:
            await call.send_headers(headers)
        except BaseException:
            self.forget(call)
            raise
        return call

    def forget(self, call: Call) -> bool:
        """A call is over for us; what still comes of it is dropped. False when it was forgotten before."""
        found = self._calls.pop(call.number, None)
        counted = call.unread()
        self.keeps(-counted)
        self._acknowledge(call.number, counted)
        return found is not None

    def took(self, call: Call, counted: int) -> None:
        """A reader has taken this much: the sender may send it again."""
        self.keeps(-counted)
        self._acknowledge(call.number, counted)
        data = b"" if self._over else self._h2.data_to_send()
        if data:
            self._stream.send_on(data)

    def _acknowledge(self, number: int, counted: int) -> None:
        if counted and not self._over:
            with contextlib.suppress(H2Error):
                self._h2.acknowledge_received_data(counted, number)

    def room(self, number: int) -> int:
        """How many bytes may be sent now."""
        try:
            return min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)
        except H2Error as error:
            raise CallLostError from error

    async def more_room(self, call: Call) -> None:
        """Wait until there may be room, or the call is lost."""
        if self._over:
            call.lost(ErrorCodes.CANCEL)
            return
        await self._room.wait()

    async def do(self, act: Callable[[H2Connection], None]) -> None:
        """Do something of the protocol and send it. Raises CallLostError."""
        if self._over:
            raise CallLostError
        try:
            act(self._h2)
        except H2Error as error:
            raise CallLostError from error
        await self._flush()

    async def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data:
            await self._stream.write(data)
