"""Reads and replaces the small text files of a project, as the user.

Opened once, never through a link, only if it is a plain file of modest size; replaced as a whole or not at all, so
that a full disk or a Ctrl-C leaves the old text.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from ds01.domain.errors import BAD_PROJECT_FILE, DISK_FULL, Ds01Error

LARGEST_BYTES = 1024 * 1024


def read(path: str, *, largest_bytes: int = LARGEST_BYTES) -> str:
    """The text of a file. Raises Ds01Error (``project.file``) in a sentence when it is not a small plain text file."""
    content = read_bytes(path, largest_bytes=largest_bytes)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _unreadable(path, f"line {line} is not UTF-8 text") from error


def read_bytes(path: str, *, largest_bytes: int = LARGEST_BYTES) -> bytes:
    """The content of a file, at most 1 MiB unless said otherwise. Raises Ds01Error (``project.file``)."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(path, _why(path, error)) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _unreadable(path, "it is no plain file")
    with open(handle, "rb") as file:
        content = file.read(largest_bytes + 1)
    if len(content) > largest_bytes:
        raise _unreadable(path, f"it is larger than {largest_bytes // 1024**2} MiB")
    return content


def replace(path: str, text: str) -> None:
    """Write ``text`` as the whole file, durable, keeping its permissions. Raises Ds01Error."""
    if os.path.islink(path):
        raise _unwritable(path, "it is a symbolic link")
    try:
        _replace(path, text)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Ds01Error(
                DISK_FULL, f"{path} was not written: the disk is full.", reason="The file is as it was before.",
                hint="Free some space, then repeat the command.",
            ) from error  # fmt: skip
        raise _unwritable(path, (error.strerror or str(error)).lower()) from error


def _replace(path: str, text: str) -> None:
    mode = stat.S_IMODE(os.lstat(path).st_mode) if os.path.lexists(path) else _new_file_mode()
    import tempfile  # slow to import, and most commands only read

    handle, temporary = tempfile.mkstemp(prefix=".ds01-", dir=os.path.dirname(path) or ".")
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _new_file_mode() -> int:
    """What a new file gets: the user's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def _why(path: str, error: OSError) -> str:
    if os.path.islink(path):
        return "it is a symbolic link, and DS01 reads only what lies in the project folder itself"
    return (error.strerror or str(error)).lower()


def _unreadable(path: str, reason: str) -> Ds01Error:
    return Ds01Error(
        BAD_PROJECT_FILE,
        f"{path} cannot be read: {reason}.",
        hint="Replace it by a plain text file, or move it away.",
        path=path,
    )


def _unwritable(path: str, reason: str) -> Ds01Error:
    return Ds01Error(
        BAD_PROJECT_FILE,
        f"{path} cannot be written: {reason}.",
        reason="It is as it was before.",
        hint=f"See who may write there: ls -ld {os.path.dirname(path) or '.'}",
        path=path,
    )
