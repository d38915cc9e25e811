"""Opening what a user named, as that user: the errands of ``identity``, and the sentences when they fail.

Nothing is decided by the path here. What was opened is held by its descriptor and judged afterwards.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import stat
from collections.abc import Iterator
from functools import partial

from ds01.adapters.host import kernel
from ds01.adapters.host.identity import NotSwitchedError, opened_as
from ds01.domain.binds import refused, shown
from ds01.domain.errors import DISK_FULL, INTERNAL, Ds01Error
from ds01.domain.people import User

NEW_FOLDER_MODE = 0o700
"""Closed to everybody else: whoever wants to share a folder opens it herself."""

_NO_TICKET = {errno.ENOKEY, errno.EKEYEXPIRED, errno.EKEYREVOKED, errno.EKEYREJECTED}


@contextlib.contextmanager
def opened(user: User, path: str, *, create: bool) -> Iterator[int]:
    """A descriptor (``O_PATH``) of ``path`` opened as ``user``; what is not hers she must be able to read."""
    try:
        fd = opened_as(user, partial(_open, user, path, create))
    except OSError as error:
        raise _sentence(user, path, error) from error
    try:
        yield fd
    finally:
        os.close(fd)


def _open(user: User, path: str, create: bool) -> int:
    try:
        fd = _there(path)
    except FileNotFoundError:
        if not create:
            raise
        fd = _made(path)
    try:
        _check_readable(user, fd)
    except OSError:
        os.close(fd)
        raise
    return fd


def _there(path: str, folder_fd: int | None = None) -> int:
    """Open; a folder is asked for first, because that is what makes an automounter mount it."""
    try:
        return kernel.open_path(path, os.O_DIRECTORY, folder_fd)
    except NotADirectoryError:
        return kernel.open_path(path, 0, folder_fd)


def _made(path: str) -> int:
    """Open, making what is missing on the way: each step from the descriptor of the one before."""
    fd = kernel.open_path("/", os.O_DIRECTORY)
    for part in path.strip("/").split("/"):
        try:
            following = _step(part, fd)
        finally:
            os.close(fd)
        fd = following
    return fd


def _step(part: str, folder_fd: int) -> int:
    try:
        return kernel.open_path(part, os.O_DIRECTORY, folder_fd)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, NEW_FOLDER_MODE, dir_fd=folder_fd)
    return kernel.open_path(part, os.O_DIRECTORY, folder_fd)


def _check_readable(user: User, fd: int) -> None:
    """Somebody else's file or folder must be open to this user; her own she could open to herself anyway."""
    found = os.fstat(fd)
    if found.st_uid == user.uid:
        return
    if stat.S_ISDIR(found.st_mode):
        os.close(os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd))
    elif stat.S_ISREG(found.st_mode):
        os.close(os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))


def _sentence(user: User, path: str, error: OSError) -> Ds01Error:
    """What went wrong while opening as the user."""
    code = error.errno or 0
    if code in (errno.ENOSPC, errno.EDQUOT):
        why = "your quota is used up" if code == errno.EDQUOT else "the disk is full"
        return Ds01Error(DISK_FULL, f"{shown(path)} cannot be made: {why}.", hint="Remove files you no longer need.")
    if isinstance(error, NotSwitchedError) or code == errno.ENOSYS:
        return Ds01Error(
            INTERNAL,
            f"{shown(path)} cannot be opened with the rights of {user.login}.",
            reason=f"{error.strerror or error}. ds01d needs root and Linux 5.6 or newer.",
        )
    where = _where(user, path, code)
    reasons = {
        errno.ENOENT: f"{where} does not exist.",
        errno.ENOTDIR: f"{where} is a file, not a folder.",
        errno.EACCES: f"{user.login} may not open {where}.",
        errno.EPERM: f"{user.login} may not make anything in {where}.",
        errno.ELOOP: f"{where} is a link that leads in a circle or into /proc.",
        errno.EROFS: f"{where} is on a file system that cannot be written to.",
        errno.ESTALE: f"{where} vanished from the file server.",
        errno.ETIMEDOUT: "The file server does not answer.",
        errno.ENAMETOOLONG: "A name in it is too long for this file system.",
    }
    hints = {errno.ENOENT: f"Make it first: mkdir -p {shlex.quote(path)}", errno.ENOTDIR: "Move the file away."}
    if code in _NO_TICKET:
        return refused(
            path, "The file server asks for a Kerberos ticket that has run out.", "Log in again, or run kinit."
        )
    return refused(path, reasons.get(code, f"{error.strerror or error}."), hints.get(code, ""))


def _where(user: User, path: str, code: int) -> str:
    """The first part of the path that fails in this way, as the user sees it; the whole path when none does."""
    parts = path.strip("/").split("/")
    for count in range(1, len(parts) + 1):
        part = "/" + "/".join(parts[:count])
        try:
            os.close(opened_as(user, partial(_folder, part, last=part == path)))
        except OSError as error:
            return shown(part) if error.errno == code else shown(path)
    return shown(path)


def _folder(path: str, *, last: bool) -> int:
    return _there(path) if last else kernel.open_path(path, os.O_DIRECTORY)
