"""Archives of many streams: those that bring something are read, however many; those that bring nothing are counted."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable

import pytest

from ds01.domain.dockerpolicy.unpacked import EMPTY, Unpacked
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.zstd import zstd

PACKERS = (gzip.compress, bz2.compress, lzma.compress)
SKIPPED = b"\x50\x2a\x4d\x18\0\0\0\0"
"""A frame of zstd that says that nothing is to be made of it."""


def plain(packed: bytes) -> bytes:
    unpacked = Unpacked(None, RefusedError("", ""), zstd, lambda _: None)
    return b"".join(bytes(piece) for piece in (*unpacked.feed(packed), *unpacked.finish()))


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
