"""Files of a container's writable layer as tar archives, read from disk.

What runs in the container may exchange anything at any moment: each folder is opened from the one above it, never
through a link, and only what is a plain file is opened at all.
"""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from ds01.adapters.docker.upper import DEPTH

PIECE = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_METACOPY = "trusted.overlay.metacopy"
"""On what has only its owner and mode in this layer: the content is in one below."""


def archive(layer: str, path: str) -> Iterator[bytes]:
    """What is at a path of this layer, with all that is in it, in pieces. Raises OSError."""
    *above, name = PurePosixPath(path).relative_to("/").parts or ("..",)
    if ".." in (*above, name):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    folder = os.open(layer, _FOLDER)
    try:
        for part in above:
            folder, before = os.open(part, _FOLDER, dir_fd=folder), folder
            os.close(before)
        yield from _entry(folder, name, name, DEPTH)
    finally:
        os.close(folder)
    yield bytes(2 * tarfile.BLOCKSIZE)


@contextmanager
def _opened(path: str, flags: int, folder: int | None = None) -> Iterator[int]:
    handle = os.open(path, flags, dir_fd=folder)
    try:
        yield handle
    finally:
        os.close(handle)


def _entry(folder: int, name: str, inside: str, depth: int) -> Iterator[bytes]:
    """One that is neither file, link nor folder (a whiteout, a pipe, a device) is none."""
    with _opened(name, _LOOK, folder) as held:
        facts = os.fstat(held)
        if stat.S_ISREG(facts.st_mode):
            yield from _file(held, facts, inside)
        elif stat.S_ISLNK(facts.st_mode):
            yield _header(inside, facts, tarfile.SYMTYPE, link=os.readlink("", dir_fd=held))
        elif stat.S_ISDIR(facts.st_mode):
            yield _header(inside, facts, tarfile.DIRTYPE)
            if depth:
                yield from _children(held, inside, depth - 1)


def _children(folder: int, inside: str, depth: int) -> Iterator[bytes]:
    for name in sorted(os.listdir(f"/proc/self/fd/{folder}")):
        try:
            yield from _entry(folder, name, f"{inside}/{name}", depth)
        except FileNotFoundError:
            continue


def _file(held: int, facts: os.stat_result, inside: str) -> Iterator[bytes]:
    """As long as it was when it was looked at, whatever is done to it meanwhile."""
    with _opened(f"/proc/self/fd/{held}", os.O_RDONLY | os.O_CLOEXEC) as file:
        if _elsewhere(file):
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        yield _header(inside, facts, tarfile.REGTYPE, size=facts.st_size)
        left = facts.st_size
        while left:
            piece = os.read(file, min(PIECE, left)) or bytes(min(PIECE, left))
            left -= len(piece)
            yield piece
        if rest := -facts.st_size % tarfile.BLOCKSIZE:
            yield bytes(rest)


def _elsewhere(file: int) -> bool:
    try:
        os.getxattr(file, _METACOPY)
    except OSError:
        return False
    return True


def _header(inside: str, facts: os.stat_result, kind: bytes, *, size: int = 0, link: str = "") -> bytes:
    entry = tarfile.TarInfo(inside)
    entry.type, entry.size, entry.linkname = kind, size, link
    entry.mode, entry.uid, entry.gid = stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid
    entry.mtime = int(facts.st_mtime)
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
