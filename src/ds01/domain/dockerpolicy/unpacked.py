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

PIECE = 1024 * 1024
XZ_BYTES = 128 * 1024 * 1024
_GZIP, _BZIP2, _XZ, _ZSTD = b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
_MAGIC = 6

Piece = bytes | memoryview


class _Unpacker(Protocol):
    def unpack(self, sent: Piece) -> Iterator[Piece]: ...
    @property
    def ended(self) -> bool: ...


class Unpacked:
    """Feed it what comes. ``size`` is how much has passed on; more than ``most`` is refused by ``too_much``.
    Whoever wants no more of it says that she ``left_off``.

    ``zstd`` makes what unpacks zstd, which the standard library cannot before Python 3.14.
    """

    def __init__(self, most: int | None, too_much: RefusedError, zstd: Callable[[], Stream]) -> None:
        self.size = 0
        self.left_off = False
        self._zstd = zstd
        self._most = most
        self._too_much = too_much
        self._first = b""
        self._unpacker: _Unpacker | None = None

    def feed(self, data: Piece) -> Iterator[Piece]:
        """The plain bytes in ``data``, in pieces."""
        if self._unpacker is None:
            self._first += bytes(data)
            if len(self._first) < _MAGIC:
                return
            data, self._first = self._first, b""
            self._unpacker = _unpacker(data, self._zstd)
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
                yield piece
        except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
            raise malformed("archive.damaged", "The compressed archive is damaged") from error


def _unpacker(first: bytes, zstd: Callable[[], Stream]) -> _Unpacker:
    if first.startswith(_GZIP):
        return _Gzip()
    if first.startswith(_BZIP2):
        return _Blocks(bz2.BZ2Decompressor)
    if first.startswith(_XZ):
        return _Blocks(lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_BYTES))
    if first.startswith(_ZSTD):
        return _Blocks(zstd)
    return _Plain()


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
    ended = True

    def unpack(self, sent: Piece) -> Iterator[Piece]:
        if sent:
            yield sent


class _Gzip:
    """One member after the other, as gzip files may have them."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(31)

    @property
    def ended(self) -> bool:
        return self._member.eof

    def unpack(self, sent: Piece) -> Iterator[bytes]:
        data = bytes(sent)
        while data:
            if self._member.eof:
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._member = zlib.decompressobj(31)
            piece = self._member.decompress(data, PIECE)
            if piece:
                yield piece
            data = self._member.unconsumed_tail or self._member.unused_data


class _Blocks:
    """bzip2, xz and zstd: streams one after the other."""

    def __init__(self, new: Callable[[], Stream]) -> None:
        self._new = new
        self._stream: Stream = new()

    @property
    def ended(self) -> bool:
        return self._stream.eof

    def unpack(self, sent: Piece) -> Iterator[bytes]:
        data = bytes(sent)
        while True:
            if self._stream.eof:
                data = (self._stream.unused_data or data).lstrip(b"\0")
                if not data:
                    return
                self._stream = self._new()
            piece = self._stream.decompress(data, PIECE)
            data = b""
            if piece:
                yield piece
            if self._stream.needs_input and not self._stream.eof:
                return
