"""Small text files that DS01 keeps in a workspace for its owner, in the folder ``.ds01``.

Opened with her rights, folder and file each from the descriptor of what they are in, and never followed anywhere: what
she could not write herself is not written for her.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Sequence
from functools import partial

from ds01.adapters.host.identity import opened_as
from ds01.domain.binds import shown
from ds01.domain.errors import BAD_WORKSPACE, DISK_FULL, Ds01Error
from ds01.domain.people import User
from ds01.domain.suggestions import missing

LARGEST_BYTES = 1024 * 1024
_FLAGS = os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def appending(user: User, workspace: str, path: str) -> int:
    """A descriptor at the end of the plain file ``path`` (``.ds01/notices``), made with its folder if it is missing.

    Raises OSError, TimeoutError when the file server does not answer.
    """
    return opened_as(user, partial(_open, workspace, path, os.O_WRONLY))


def add_lines(user: User, workspace: str, path: str, lines: Sequence[str]) -> None:
    """Those of the lines that the file has not yet. Raises Ds01Error (``workspace.denied``, ``disk.full``)."""
    try:
        os.close(opened_as(user, partial(_added, workspace, path, lines)))
    except OSError as error:
        raise _refused(f"{workspace}/{path}", error) from error


def _added(workspace: str, path: str, lines: Sequence[str]) -> int:
    """With the user's rights, all of it: her quota counts, and a file server that hangs keeps nobody else waiting."""
    fd = _open(workspace, path, os.O_RDWR)
    try:
        _add(fd, lines)
    except OSError:
        os.close(fd)
        raise
    return fd


def _add(fd: int, lines: Sequence[str]) -> None:
    if os.fstat(fd).st_size > LARGEST_BYTES:
        raise OSError(errno.EFBIG, "it is larger than 1 MiB")
    before = os.pread(fd, LARGEST_BYTES + 1, 0).decode(errors="replace")
    fresh = missing(before.splitlines(), lines)
    if fresh:
        begin = "" if not before or before.endswith("\n") else "\n"
        os.write(fd, (begin + "\n".join(fresh) + "\n").encode(errors="replace"))


def _refused(path: str, error: OSError) -> Ds01Error:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Ds01Error(DISK_FULL, f"{shown(path)} was not written: the disk is full.")
    why = "its file server does not answer" if error.errno == errno.ETIMEDOUT else error.strerror or str(error)
    return Ds01Error(BAD_WORKSPACE, f"{shown(path)} was not written: {why[:1].lower()}{why[1:]}.")


def _open(workspace: str, path: str, access: int) -> int:
    """With the user's rights."""
    folder, _, name = path.partition("/")
    top = os.open(workspace, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        inner = _made(folder, top)
    finally:
        os.close(top)
    try:
        fd = os.open(name, access | _FLAGS, 0o600, dir_fd=inner)
    finally:
        os.close(inner)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is no plain file")
    return fd


def _made(folder: str, top: int) -> int:
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700, dir_fd=top)
    return os.open(folder, _FOLDER, dir_fd=top)
