"""Archives that may be compressed, as they come: what passes on is plain, and is counted.

Compressed bytes are of no size anybody knows. So they are unpacked here, a piece at a time and no more at once than
passes on, and what the engine gets is as large as what was counted.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from ds01.domain.dockerpolicy.verdict import RefusedError, malformed

PIECE, SLOW_PIECE = 1024 * 1024, 64 * 1024
"""How much is unpacked, and read, before others get their turn; of bzip2 and xz, which take ten times as long and more,
less.
"""

NEAR_BYTES, FAR_BYTES = 16 * 1024 * 1024, 128 * 1024 * 1024
"""What a stream of xz or zstd may need: of usual ones (``xz -6``, ``zstd -19``), and of all that is read here."""

_XZ_FAR_BYTES = 66 * 1024 * 1024
"""``xz -9``."""

SLICE = 16 * 1024
"""How much is unpacked at a time: behind the end of a stream what is left of a slice is copied, for each of them."""

EMPTY = 64
"""Streams, one after the other, that bring nothing: beginning one costs as much as ``STREAM_COST`` bytes."""

STREAM_COST = 4096

STREAMS, STREAM_BYTES = 1000, 256
"""After so many streams one must bring so much on average. Of what packs each file by itself one brings 512 bytes."""

_GZIP, _BZIP2, _XZ, _ZSTD = b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
_MAGIC = 6

Piece = bytes | memoryview


class _Unpacker(Protocol):
    """``unpack`` brings ``piece`` bytes at most at a time, and none whenever a slice was read."""

    @property
    def piece(self) -> int: ...
    def unpack(self, sent: Piece) -> Iterator[Piece]: ...
    @property
    def ended(self) -> bool: ...


class Unpacked:
    """Feed it what comes. ``size`` is how much has passed on; more than ``most`` is refused by ``too_much``.
    Whoever wants no more of it says that she ``left_off``. An empty piece says that others should have their turn.

    ``zstd`` makes what unpacks zstd, far back or not, which the standard library cannot before Python 3.14. ``take`` is
    told how much memory is needed, before it is, and raises RefusedError when there is none.
    """

    def __init__(
        self, most: int | None, too_much: RefusedError, zstd: Callable[[bool], Stream], take: Callable[[int], None]
    ) -> None:
        self.size = 0
        self.left_off = False
        self._zstd = zstd
        self._take = take
        self._most = most
        self._too_much = too_much
        self._first = b""
        self._streams = _Streams()
        self._rested = 0
        self._unpacker: _Unpacker | None = None

    def feed(self, data: Piece) -> Iterator[Piece]:
        """The plain bytes in ``data``, in pieces."""
        if self._unpacker is None:
            self._first += bytes(data)
            if len(self._first) < _MAGIC:
                return
            data, self._first = self._first, b""
            self._unpacker = _unpacker(data, self._streams, self._zstd, self._take)
        yield from self._counted(self._unpacker, data)

    def finish(self) -> Iterator[Piece]:
        """What is left at the end. Raises RefusedError when a compressed archive was cut short."""
        if self._unpacker is None:
            self._unpacker = _Plain()
            yield from self._counted(self._unpacker, self._first)
        elif not self._unpacker.ended:
            raise malformed("archive.short", "The compressed archive ends in the middle")

    def _counted(self, unpacker: _Unpacker, data: Piece) -> Iterator[Piece]:
        try:
            for piece in unpacker.unpack(data):
                self.size += len(piece)
                if self._most is not None and self.size > self._most:
                    raise self._too_much
                if piece:
                    yield piece
                cost = self.size + self._streams.cost
                if cost - self._rested >= unpacker.piece:
                    self._rested = cost
                    yield b""
        except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
            raise malformed("archive.damaged", "The compressed archive is damaged") from error


def _unpacker(
    first: bytes, streams: _Streams, zstd: Callable[[bool], Stream], take: Callable[[int], None]
) -> _Unpacker:
    if first.startswith(_GZIP):
        return _Gzip(streams)
    if first.startswith(_BZIP2):
        return _Blocks(streams, bz2.BZ2Decompressor, SLOW_PIECE)
    if first.startswith(_XZ):
        return _Blocks(streams, _Reaching(_xz, take).begin, SLOW_PIECE)
    if first.startswith(_ZSTD):
        return _Blocks(streams, _Reaching(zstd, take).begin, PIECE)
    return _Plain()


def _xz(far: bool) -> Stream:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_FAR_BYTES if far else NEAR_BYTES)


class Stream(Protocol):
    """What unpacks one stream, a piece at a time, as the standard library's decompressors do."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Plain:
    piece = PIECE
    ended = True

    def unpack(self, sent: Piece) -> Iterator[Piece]:
        if sent:
            yield sent


class _Streams:
    """Counts them, those in a row that bring nothing, what is read of all and what they bring."""

    def __init__(self) -> None:
        self.begun = 0
        self._read = 0
        self._empty = 0
        self._brought = 0

    @property
    def cost(self) -> int:
        """What reading them cost, in bytes that are unpacked."""
        return self._read + self.begun * STREAM_COST

    def slices(self, sent: Piece) -> Iterator[bytes]:
        """What came, so much of it at a time."""
        view = memoryview(sent)
        for at in range(0, len(view), SLICE):
            data = bytes(view[at : at + SLICE])
            self._read += len(data)
            yield data

    def next(self) -> None:
        """One more begins. Raises RefusedError."""
        self.begun += 1
        self._empty += 1
        if self._empty > EMPTY:
            raise malformed("archive.empty", f"The archive has more than {EMPTY} empty parts in a row", "Pack it anew.")
        if self.begun > STREAMS and self._brought < self.begun * STREAM_BYTES:
            raise malformed("archive.empty", "The archive is packed in thousands of parts of a few bytes",
                            "Pack it anew, as a whole.")  # fmt: skip

    def bring(self, size: int) -> None:
        """Something came."""
        self._empty = 0
        self._brought += size


class _Gzip:
    """One member after the other, as gzip files may have them."""

    piece = PIECE

    def __init__(self, streams: _Streams) -> None:
        self._member = zlib.decompressobj(31)
        self._streams = streams

    @property
    def ended(self) -> bool:
        return self._member.eof

    def unpack(self, sent: Piece) -> Iterator[bytes]:
        for data in self._streams.slices(sent):
            yield from self._unpack(data)
            yield b""

    def _unpack(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member.eof:
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._streams.next()
                self._member = zlib.decompressobj(31)
            piece = self._member.decompress(data, self.piece)
            if piece:
                self._streams.bring(len(piece))
                yield piece
            data = self._member.unconsumed_tail or self._member.unused_data


class _Blocks:
    """bzip2, xz and zstd: streams one after the other."""

    def __init__(self, streams: _Streams, new: Callable[[], Stream], piece: int) -> None:
        self.piece = piece
        self._new = new
        self._stream: Stream = new()
        self._streams = streams

    @property
    def ended(self) -> bool:
        return self._stream.eof

    def unpack(self, sent: Piece) -> Iterator[bytes]:
        for data in self._streams.slices(sent):
            yield from self._unpack(data)
            yield b""

    def _unpack(self, data: bytes) -> Iterator[bytes]:
        while True:
            if self._stream.eof:
                data = (self._stream.unused_data + data).lstrip(b"\0")
                if not data:
                    return
                self._streams.next()
                self._stream = self._new()
            piece = self._stream.decompress(data, self.piece)
            data = b""
            if piece:
                self._streams.bring(len(piece))
                yield piece
            if self._stream.needs_input and not self._stream.eof:
                return


class _Reaching:
    """Streams of xz or zstd: begun with little memory, and again with more where one says that it needs it."""

    def __init__(self, new: Callable[[bool], Stream], take: Callable[[int], None]) -> None:
        self.far = False
        self._new = new
        self._take = take
        take(NEAR_BYTES)

    def begin(self) -> Stream:
        return _Begun(self)

    def stream(self) -> Stream:
        return self._new(self.far)

    def reach(self) -> Stream:
        """The same stream, further back."""
        self._take(FAR_BYTES - NEAR_BYTES)
        self.far = True
        return self._new(True)


class _Begun:
    """One of them. What came is kept until something is made of it."""

    def __init__(self, reaching: _Reaching) -> None:
        self._reaching = reaching
        self._inner = reaching.stream()
        self._came: bytearray | None = None if reaching.far else bytearray()

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return self._inner.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._came is None:
            return self._inner.decompress(data, max_length)
        self._came += data
        try:
            made = self._inner.decompress(data, max_length)
        except (lzma.LZMAError, OSError):
            data, self._came = bytes(self._came), None
            self._inner = self._reaching.reach()
            return self._inner.decompress(data, max_length)
        if made or len(self._came) > PIECE:
            self._came = None
        return made
