"""Reads a password out of a file that its owner alone can read. What is in it is never part of a message."""

from __future__ import annotations

import os
import stat

from ds01.domain.errors import NOTICE_FAILED, Ds01Error

LONGEST = 4096


def secret(path: str, key: str) -> str:
    """The first line of the file at ``path``, which ``key`` of the limits file names. Raises Ds01Error.

    The file itself is judged, opened, so that nobody can put another one in its place in between.
    """
    if not path:
        raise _unusable(f"{key} is not set.", "Write the password into a file of mode 0600 and name it there.")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(f"{path}: {error.strerror or error}.", f"{key} names it.") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid not in (0, os.geteuid()):
            raise _unusable(f"{path} is no plain file of root's.", f"chown root {path}")
        if status.st_mode & 0o077:
            raise _unusable(f"{path} can be read by others (mode {status.st_mode & 0o777:04o}).", f"chmod 0600 {path}")
        lines = file.read(LONGEST).decode("utf-8", "replace").splitlines()
    if not lines or not lines[0]:
        raise _unusable(f"{path} is empty.", "Its first line is the password.")
    return lines[0]


def _unusable(reason: str, hint: str) -> Ds01Error:
    return Ds01Error(NOTICE_FAILED, "The password for mail cannot be used.", reason=reason, hint=hint)
