"""Archives of many streams: those that bring something are read, however many; those that bring nothing are counted."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from ds01.domain.dockerpolicy.unpacked import (
    EMPTY,
    PIECE,
    SLICE,
    SLOW_PIECE,
    STREAM_BYTES,
    STREAM_COST,
    STREAMS,
    Stream,
    Unpacked,
)
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.zstd import zstd

PACKERS = (gzip.compress, bz2.compress, lzma.compress)
SKIPPED = b"\x50\x2a\x4d\x18\0\0\0\0"
"""A frame of zstd that says that nothing is to be made of it."""


def pieces(packed: bytes, zstd: Callable[[bool], Stream] = zstd) -> list[bytes]:
    reader = Unpacked(None, RefusedError("", ""), zstd, lambda _: None)
    return [bytes(piece) for piece in (*reader.feed(packed), *reader.finish())]


def plain(packed: bytes, zstd: Callable[[bool], Stream] = zstd) -> bytes:
    return b"".join(pieces(packed, zstd))


def frame(content: bytes) -> bytes:
    """One of zstd, that is not packed."""
    return bytes.fromhex("28b52ffd0000") + (len(content) << 3 | 1).to_bytes(3, "little") + content


@pytest.mark.parametrize("pack", PACKERS)
def test_p17_so_many_empty_streams_in_a_row_and_no_more(pack: Callable[[bytes], bytes]) -> None:
    assert plain(pack(b"x") + pack(b"") * (EMPTY - 1) + pack(b"y")) == b"xy"
    assert plain((pack(b"x") + pack(b"")) * 2 * EMPTY) == b"x" * 2 * EMPTY
    with pytest.raises(RefusedError, match="empty parts"):
        plain(pack(b"x") + pack(b"") * (EMPTY + 1) + pack(b"y"))


def test_p17_frames_to_be_skipped_are_counted() -> None:
    first = bytes.fromhex("28b52ffd2001090000") + b"x"
    assert plain(first + SKIPPED * (EMPTY - 1)) == b"x"
    with pytest.raises(RefusedError, match="empty parts"):
        plain(first + SKIPPED * (EMPTY + 2))


class Fed:
    """A decompressor that counts what it is given."""

    given = 0

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def decompress(self, data: bytes, most: int) -> bytes:
        Fed.given += len(data)
        return self._inner.decompress(data, most)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> type[Fed]:
    member, block, stream = zlib.decompressobj, bz2.BZ2Decompressor, lzma.LZMADecompressor
    monkeypatch.setattr(zlib, "decompressobj", lambda *form: Fed(member(*form)))
    monkeypatch.setattr(bz2, "BZ2Decompressor", lambda: Fed(block()))
    monkeypatch.setattr(lzma, "LZMADecompressor", lambda *form, **most: Fed(stream(*form, **most)))
    monkeypatch.setattr(Fed, "given", 0)
    return Fed


@pytest.mark.parametrize("pack", [*PACKERS, frame])
def test_p17_what_follows_a_stream_is_not_given_again_for_each(pack: Callable[[bytes], bytes], fed: type[Fed]) -> None:
    content, streams = random.Random(0).randbytes(255), 3 * STREAMS // 4
    packed = pack(content) * streams
    assert plain(packed, lambda far: Fed(zstd(far))) == content * streams
    assert len(packed) <= fed.given <= len(packed) + streams * SLICE


@pytest.mark.parametrize("pack", [*PACKERS, frame])
def test_p17_thousands_of_streams_bring_more_than_a_few_bytes(pack: Callable[[bytes], bytes]) -> None:
    enough, few = pack(b"x" * STREAM_BYTES), pack(b"y")
    assert len(plain(enough * 2 * STREAMS)) == 2 * STREAMS * STREAM_BYTES
    assert plain(few * STREAMS) == b"y" * STREAMS
    with pytest.raises(RefusedError, match="thousands of parts"):
        plain(few * 2 * STREAMS)


def test_p17_others_get_their_turn_between_streams() -> None:
    streams = STREAMS // 2
    assert pieces(frame(b"x") * streams).count(b"") >= streams * STREAM_COST // PIECE


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
def test_p17_what_unpacks_slowly_is_unpacked_in_small_pieces(pack: Callable[[bytes], bytes]) -> None:
    content = bytes(2 * PIECE)
    found = pieces(pack(content))
    assert b"".join(found) == content
    assert max(map(len, found)) <= SLOW_PIECE
    assert found.count(b"") >= len(content) // SLOW_PIECE


def test_p17_others_get_their_turn_while_a_block_is_read_of_which_nothing_is_made_yet() -> None:
    content = random.Random(0).randbytes(900_000)
    found = pieces(bz2.compress(content, 9))
    assert b"".join(found) == content
    begun = next(at for at, piece in enumerate(found) if piece)
    assert begun >= 800_000 // SLOW_PIECE


def test_p17_others_get_their_turn_while_blocks_are_read_that_bring_nothing() -> None:
    nothing, last = b"\0\0\0\xff\xff", b"\1\0\0\xff\xff"
    packed = gzip.compress(b"")[:10] + nothing * (4 * PIECE // len(nothing)) + last + bytes(8)
    assert (plain(packed), pieces(packed).count(b"")) == (b"", 4)
