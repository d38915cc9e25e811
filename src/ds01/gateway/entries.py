"""Archives as they come: unpacked where they are compressed, within what they may take, and read entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ds01.domain.dockerpolicy.context import Context
from ds01.domain.dockerpolicy.unpacked import Unpacked
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.quantity import show_size
from ds01.gateway import flow
from ds01.gateway.body import Piece
from ds01.gateway.zstd import zstd

TAR = "application/x-tar"

PADDING = 1024 * 1024
"""Bytes behind the end of an archive: far more than fill a record of tar."""

SLICE, STEPS = 64 * 1024, 256
"""After how many bytes of an archive it is looked how many of its headers were read, and how many are enough."""


def unpacked(what: str, left_bytes: int | None, take: Callable[[int], None]) -> Unpacked:
    """A reader of an archive that may be compressed, may be so large, and ``take``s the memory that it needs."""
    return Unpacked(left_bytes, too_large(what, left_bytes), zstd, take)


def reading(archive: Context) -> Callable[[Piece], Iterator[Piece]]:
    """What passes on of an archive that is plain. While it has many small entries, others get their turn."""
    rested = 0

    def through(data: Piece) -> Iterator[Piece]:
        nonlocal rested
        view = memoryview(data)
        for at in range(0, len(view), SLICE):
            yield from archive.feed(view[at : at + SLICE])
            if archive.steps - rested >= STEPS:
                rested = archive.steps
                yield flow.BREATH

    return through


def entries(plain: Unpacked, archive: Context) -> Callable[[Piece], Iterator[Piece]]:
    """What passes on of an archive that may be compressed. Behind its end no more is unpacked than pads it, and while
    much is of which nothing passes, others get their turn.
    """
    read, behind = reading(archive), 0

    def through(piece: Piece) -> Iterator[Piece]:
        nonlocal behind
        for part in () if plain.left_off else plain.feed(piece):
            behind += len(part) if archive.ended else 0
            if behind >= PADDING:
                plain.left_off = True
                return
            yield from read(part) if part else (flow.BREATH,)

    return through


def last_entries(plain: Unpacked, archive: Context) -> list[Piece]:
    """The same for the end of what came. Raises RefusedError when it came too early."""
    last = [] if plain.left_off else [part for piece in plain.finish() for part in archive.feed(piece)]
    archive.finish()
    return last


def too_large(what: str, left_bytes: int | None) -> RefusedError:
    """It does not fit any more."""
    return RefusedError(
        "disk.quota", f"{what} is larger than the {show_size(left_bytes)} that is left of your disk space",
        "Make room: docker image prune -a. What uses it: ds01 status.", status=507,
    )  # fmt: skip
