"""Bodies: read by their framing, with caps, and written with framing of our own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from ds01.domain.dockerpolicy.verdict import RefusedError, malformed
from ds01.gateway.http import Framing
from ds01.gateway.stream import Stream

_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")
_SIZE_LINE = 10

CHUNKS, CHUNK_BYTES = 4096, 64
"""After so many chunks a client's must be so large on average: each costs the same, and brings what it brings."""

AT_ONCE = 128
"""Chunks that are passed on before others get their turn: of tiny ones thousands come at once."""

Piece = bytes | memoryview


class Chunked:
    """Reads a chunked body, strictly: no extensions, no trailers, CRLF only. Feed it what comes.

    ``coarse``: thousands of chunks of a few bytes are refused.
    """

    def __init__(self, *, coarse: bool = False) -> None:
        self._coarse = coarse
        self._chunks = 0
        self._payload = 0
        self.done = False
        self.rest = b""
        self._left = 0
        self._line = b""
        self._state = "size"

    def feed(self, data: bytes) -> Iterator[list[Piece]]:
        """The payload in ``data``, of ``AT_ONCE`` chunks at a time. After the last chunk ``done`` is set, and ``rest``
        is what follows.
        """
        pieces: list[Piece] = []
        view, at = memoryview(data), 0
        while at < len(data) and not self.done:
            if self._state == "data":
                piece = view[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._state = "after"
                if len(pieces) == AT_ONCE:
                    yield pieces
                    pieces = []
            else:
                at = self._control(data, at)
        if self.done:
            self.rest = data[at:]
        if pieces:
            yield pieces

    def _control(self, data: bytes, at: int) -> int:
        """Read on in a size line, the line end after a chunk, or the empty line at the end."""
        newline = data.find(b"\n", at)
        end = len(data) if newline < 0 else newline + 1
        self._line += data[at:end]
        if len(self._line) > _SIZE_LINE or (newline < 0 and self._line and self._misplaced()):
            raise malformed("http.chunked", "A chunk is malformed")
        if newline >= 0:
            line, self._line = self._line, b""
            self._line_ended(line)
        return end

    def _misplaced(self) -> bool:
        body = self._line.removesuffix(b"\r")
        return bool(body) and (self._state != "size" or not _SIZE.fullmatch(body))

    def _line_ended(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            raise malformed("http.chunked", "A chunk's line ends with CR LF, both")
        line = line[:-2]
        if self._state == "size":
            if not _SIZE.fullmatch(line):
                raise malformed("http.chunked", "A chunk's size is malformed")
            self._left = int(line, 16)
            self._count(self._left)
            self._state = "data" if self._left else "end"
        elif line:
            raise malformed("http.chunked", "A chunk is longer than it says, or a trailer follows the last one")
        elif self._state == "after":
            self._state = "size"
        else:
            self.done = True

    def _count(self, size: int) -> None:
        self._chunks += 1 if size else 0
        self._payload += size
        if self._coarse and self._chunks > CHUNKS and self._payload < self._chunks * CHUNK_BYTES:
            raise malformed("http.chunked", "The body comes in thousands of chunks of a few bytes",
                            f"Send chunks of at least {CHUNK_BYTES} bytes, or a Content-Length.")  # fmt: skip


async def pieces(
    stream: Stream, framing: Framing, *, coarse: bool = False, seconds: float | None = None
) -> AsyncIterator[Sequence[Piece]]:
    """A body's payload, as many pieces at a time as came together. Raises ConnectionError when it is cut short,
    RefusedError where a client's must be ``coarse`` and is not, and SilentError when no more comes for ``seconds``.
    """
    if framing.chunked:
        async for part in _chunked(stream, coarse, seconds):
            yield part
    elif framing.until_close:
        while chunk := await stream.read(seconds):
            yield (chunk,)
    else:
        async for part in _measured(stream, framing.length, seconds):
            yield part


async def _chunked(stream: Stream, coarse: bool, seconds: float | None) -> AsyncIterator[Sequence[Piece]]:
    reader = Chunked(coarse=coarse)
    while not reader.done:
        data = await stream.read(seconds)
        if not data:
            raise ConnectionResetError("the body was cut short")
        for number, found in enumerate(reader.feed(data)):
            if number:
                await stream.turn()
            yield found
    stream.unread(reader.rest)


async def _measured(stream: Stream, length: int, seconds: float | None) -> AsyncIterator[Sequence[Piece]]:
    left = length
    while left:
        chunk = await stream.read(seconds)
        if not chunk:
            raise ConnectionResetError("the body was cut short")
        if len(chunk) > left:
            stream.unread(chunk[left:])
            chunk = chunk[:left]
        left -= len(chunk)
        yield (chunk,)


def at_hand(stream: Stream, framing: Framing) -> bytes | None:
    """A body that came in one piece with its head, as short ones do; None when it is to be read as it comes."""
    if framing.chunked or framing.until_close:
        return None
    return stream.at_hand(framing.length) if framing.length else b""


def too_large(rule: str, cap: int) -> RefusedError:
    """A body that is read into memory has at most ``cap`` bytes."""
    advice = "Say less in one request: fewer or shorter labels, variables and options."
    return RefusedError(rule, f"The body is larger than {cap} bytes", advice, status=413)


async def whole(
    stream: Stream, framing: Framing, cap: int, rule: str = "http.body", *,
    coarse: bool = False, take: Callable[[int], None] | None = None,
) -> bytes:  # fmt: skip
    """A body in memory; ``take`` hears of each piece. Raises RefusedError (413) when it is larger than ``cap``."""
    if framing.length > cap:
        raise too_large(rule, cap)
    found = bytearray()
    async for part in pieces(stream, framing, coarse=coarse):
        size = sum(map(len, part))
        if len(found) + size > cap:
            raise too_large(rule, cap)
        if take is not None:
            take(size)
        for piece in part:
            found += piece
    return bytes(found)


def chunk(parts: Sequence[Piece]) -> list[Piece]:
    """One chunk of a chunked body, in pieces that are not joined."""
    size = sum(map(len, parts))
    return [b"%x\r\n" % size, *parts, b"\r\n"] if size else []


LAST_CHUNK = b"0\r\n\r\n"
