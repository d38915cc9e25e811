"""Unpacks a tar stream that somebody else made, so that nothing of it lands outside the folder it is meant for.

Every folder on the way to a file is opened by descriptor and never through a link, and a link is made only when it
stays inside: so neither a name in the archive nor a link made a moment before leads out. What cannot be placed so, and
sockets and devices, is left out and named.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
import tarfile
from collections.abc import Iterator
from typing import IO

from ds01.domain.record import made, record

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE = 256 * 1024


@record(frozen=False)
class Copied:
    """What was copied. ``left_out`` are the names of what was not: links that lead outside, sockets, devices."""

    files: int = 0
    size_bytes: int = 0
    left_out: list[str] = made(factory=list)


class OutsideError(Exception):
    """A name or link of the archive leads out of the folder."""


def unpack(archive: tarfile.TarFile, into: str, name: str, copied: Copied) -> Iterator[None]:
    """Unpack below ``into``, the first part of every path replaced by ``name``; yields after each entry."""
    root = os.open(into, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for member in archive:
            try:
                _place(archive, member, root, name, copied)
            except (OutsideError, FileNotFoundError, NotADirectoryError, IsADirectoryError):
                copied.left_out.append(member.name)
            yield
    finally:
        os.close(root)


def _place(archive: tarfile.TarFile, member: tarfile.TarInfo, root: int, name: str, copied: Copied) -> None:
    path = _renamed(member.name, name)
    with _parent(root, path) as (folder, last):
        if member.isdir():
            _make_folder(folder, last, member.mode)
        elif member.issym():
            _inside(posixpath.join(posixpath.dirname(path), member.linkname))
            _clear(folder, last)
            os.symlink(member.linkname, last, dir_fd=folder)
        elif member.islnk():
            _link(root, _renamed(member.linkname, name), folder, last)
        elif member.isfile():
            _write(archive.extractfile(member), member, folder, last)
            copied.files += 1
            copied.size_bytes += member.size
        else:
            raise OutsideError


def _renamed(path: str, name: str) -> str:
    """A path of the archive below its new name. Raises OutsideError."""
    rest = _inside(path).partition("/")[2]
    return posixpath.join(name, rest) if rest else name


def _inside(path: str) -> str:
    normal = posixpath.normpath(path)
    if normal.startswith(("/", "../")) or normal == "..":
        raise OutsideError
    return normal


@contextlib.contextmanager
def _parent(root: int, path: str) -> Iterator[tuple[int, str]]:
    """The open folder that holds ``path``, made where it is missing, and the last part of the path."""
    *folders, last = path.split("/")
    current = os.dup(root)
    try:
        for folder in folders:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, 0o777, dir_fd=current)
            try:
                inner = os.open(folder, _FOLDER, dir_fd=current)
            except OSError as error:
                raise OutsideError from error
            os.close(current)
            current = inner
        yield current, last
    finally:
        os.close(current)


def _make_folder(folder: int, name: str, mode: int) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o777, dir_fd=folder)
    try:
        made = os.open(name, _FOLDER, dir_fd=folder)
    except OSError as error:
        raise OutsideError from error
    try:
        os.fchmod(made, (mode & 0o777) | 0o700)
    finally:
        os.close(made)


def _link(root: int, source: str, folder: int, name: str) -> None:
    """A second name of an entry before it. Raises FileNotFoundError, and keeps what has the name, when that was left
    out.
    """
    with _parent(root, source) as (there, last):
        os.stat(last, dir_fd=there, follow_symlinks=False)
        _clear(folder, name)
        os.link(last, name, src_dir_fd=there, dst_dir_fd=folder, follow_symlinks=False)


def _write(content: IO[bytes] | None, member: tarfile.TarInfo, folder: int, name: str) -> None:
    if content is None:
        raise OutsideError
    _clear(folder, name)
    with open(os.open(name, _NEW, 0o600, dir_fd=folder), "wb") as file:
        shutil.copyfileobj(content, file, _PIECE)
        file.flush()
        os.fchmod(file.fileno(), member.mode & 0o777)
        os.utime(file.fileno(), (member.mtime, member.mtime))


def _clear(folder: int, name: str) -> None:
    """What is in the way goes, as with any copy; a folder does not."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
