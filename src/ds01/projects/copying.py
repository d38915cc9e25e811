"""Copies the code of one folder into a new project: settings and programs, never data, results or secrets.

The folder may be somebody else's, and she may change it meanwhile. So both sides are walked by open folders and never
through a link, only plain files are read, and a copy has no right that its source had not. Setuid and setgid stay
behind: her program would become one that runs as the caller.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from ds01.domain.errors import BAD_REQUEST, BAD_WORKSPACE, Ds01Error
from ds01.domain.record import made, record

_LEFT = {
    ".git", "data", "models", "outputs", ".cache", ".ds01", ".venv", "venv", "__pycache__", ".ipynb_checkpoints",
    "wandb", "mlruns", "node_modules", ".env", ".netrc",
}  # fmt: skip
_MOST_FILES, _MOST_BYTES = 5000, 200 * 1024**2
_PIECE = 256 * 1024
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = _FILE | os.O_DIRECTORY
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_SOMETHING_ELSE = (errno.ELOOP, errno.ENOTDIR, errno.ENOENT, errno.ENXIO)
"""What opening says of a link, a file on the way, nothing, and a socket."""


@record(frozen=False)
class Copied:
    """``done`` were copied, ``kept`` are there and differ, ``left_out`` are no plain files any more."""

    done: list[str] = made(factory=list)
    kept: list[str] = made(factory=list)
    left_out: list[str] = made(factory=list)
    size_bytes: int = 0
    most_bytes: int = _MOST_BYTES


class _ChangedError(Exception):
    """The source is no plain file in plain folders any more."""


class _TakenError(Exception):
    """Something of the user's own is in that place."""


class _TooMuchError(Exception):
    """It grew while it was copied."""


def files(source: str) -> tuple[str, ...]:
    """What would be copied from a folder, sorted. Raises Ds01Error when it is too much to be code."""
    found, size = [], 0
    for path, size_bytes in _walk(source):
        found.append(path)
        size += size_bytes
        if len(found) > _MOST_FILES or size > _MOST_BYTES:
            raise _too_large(source)
    return tuple(sorted(found))


def copy(source: str, paths: tuple[str, ...], folder: str, *, most_bytes: int = _MOST_BYTES) -> Copied:
    """Copy what is not there yet. Raises Ds01Error; what was copied before stands."""
    copied, path = Copied(most_bytes=most_bytes), ""
    try:
        with contextlib.ExitStack() as stack:
            there, here = _opened(stack, source, _FOLDER), _project(stack, folder)
            for path in paths:
                _one(there, here, path, copied)
    except _TooMuchError as error:
        raise _too_large(source) from error
    except OSError as error:
        raise Ds01Error(
            BAD_WORKSPACE, f"{path or error.filename} cannot be copied: {(error.strerror or str(error)).lower()}.",
            reason=f"{len(copied.done)} files were copied before, and stay.",
            hint="The same command goes on from there.",
        ) from error  # fmt: skip
    return copied


def _walk(source: str) -> Iterator[tuple[str, int]]:
    def unreadable(error: OSError) -> None:
        raise Ds01Error(BAD_REQUEST, f"{error.filename} cannot be read.", reason=f"{error.strerror}.") from error

    for place, names, inside, handle in os.fwalk(source, onerror=unreadable):
        names[:] = [name for name in names if name not in _LEFT]
        for name in inside:
            with contextlib.suppress(FileNotFoundError):  # it went away: as if it had never been there
                status = os.stat(name, dir_fd=handle, follow_symlinks=False)
                if name not in _LEFT and stat.S_ISREG(status.st_mode):
                    yield os.path.relpath(os.path.join(place, name), source), status.st_size


def _project(stack: contextlib.ExitStack, folder: str) -> int:
    """The project's folder, open; private from the start when it is new."""
    for each in (os.path.dirname(folder), folder):
        with contextlib.suppress(FileExistsError):
            os.mkdir(each, 0o700)
    return _opened(stack, folder, _FOLDER)


def _one(there: int, here: int, path: str, copied: Copied) -> None:
    try:
        with contextlib.ExitStack() as stack:
            _file(stack, *_above(stack, there, here, path), path, copied)
    except _ChangedError:
        copied.left_out.append(path)
    except _TakenError:
        copied.kept.append(path)


def _above(stack: contextlib.ExitStack, there: int, here: int, path: str) -> tuple[int, int]:
    """The open folders that hold a file, there and here; made here where they are missing."""
    for name in path.split(os.sep)[:-1]:
        there = _opened(stack, name, _FOLDER, there, otherwise=_ChangedError)
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, os.fstat(there).st_mode & 0o777 | 0o700, dir_fd=here)
        here = _opened(stack, name, _FOLDER, here, otherwise=_TakenError)
    return there, here


def _file(stack: contextlib.ExitStack, there: int, here: int, path: str, copied: Copied) -> None:
    name = os.path.basename(path)
    source = _plain(stack, name, there, otherwise=_ChangedError)
    mode = os.fstat(source.fileno()).st_mode & 0o777 | 0o600
    try:
        target = os.open(name, _NEW, mode, dir_fd=here)
    except FileExistsError as error:
        if not _same(source, _plain(stack, name, here, otherwise=_TakenError)):
            raise _TakenError from error
        return
    try:
        with open(target, "wb") as content:
            _filled(content, source, copied)
    except BaseException:
        os.unlink(name, dir_fd=here)  # half of it would be taken for the user's own the next time
        raise
    copied.done.append(path)


def _filled(content: BinaryIO, source: BinaryIO, copied: Copied) -> None:
    while piece := source.read(_PIECE):
        copied.size_bytes += len(piece)
        if copied.size_bytes > copied.most_bytes:
            raise _TooMuchError
        content.write(piece)


def _same(one: BinaryIO, other: BinaryIO) -> bool:
    while (piece := one.read(_PIECE)) == other.read(_PIECE):
        if not piece:
            return True
    return False


def _plain(stack: contextlib.ExitStack, name: str, above: int, *, otherwise: type[Exception]) -> BinaryIO:
    handle = _opened(stack, name, _FILE, above, otherwise=otherwise)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise otherwise
    return stack.enter_context(open(handle, "rb", closefd=False))


def _opened(
    stack: contextlib.ExitStack, name: str, flags: int, above: int | None = None,
    *, otherwise: type[Exception] | None = None,
) -> int:  # fmt: skip
    """Open something, never through a link. Raises ``otherwise`` when it is of another kind, and OSError."""
    try:
        handle = os.open(name, flags, dir_fd=above)
    except OSError as error:
        if otherwise is not None and error.errno in _SOMETHING_ELSE:
            raise otherwise from error
        raise
    stack.callback(os.close, handle)
    return handle


def _too_large(source: str) -> Ds01Error:
    return Ds01Error(
        BAD_REQUEST, f"{source} is too large to begin a project from.",
        reason=f"It has more than {_MOST_FILES} files or {_MOST_BYTES // 1024**2} MB besides its data.",
        hint="Copy what you need yourself, then: ds01 init NAME",
    )  # fmt: skip
