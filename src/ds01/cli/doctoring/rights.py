"""Taking rights away from the caller's own files: never from what lies there instead by the time she has answered."""

from __future__ import annotations

import errno
import os
import stat
from functools import partial

from ds01.cli.doctoring.own import CHANGED, Mend


def own(path: str) -> os.stat_result | None:
    """A plain file or folder of the caller's own; anything else is None and left alone."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if status.st_uid != os.geteuid() or not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        return None
    return status


def narrower(path: str, asked: os.stat_result, mode: int, wrong: str) -> Mend:
    """What takes rights from ``path``, because of what is ``wrong``."""
    return Mend(wrong=wrong, todo=f"chmod {mode:o} {path}", do=partial(_narrow, path, asked, mode))


def _narrow(path: str, asked: os.stat_result, mode: int) -> None:
    """Raises OSError when something else is there by now."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        now = os.fstat(handle)
        if (now.st_dev, now.st_ino, now.st_uid, now.st_mode) != (
            asked.st_dev, asked.st_ino, asked.st_uid, asked.st_mode,
        ):  # fmt: skip
            raise OSError(errno.ESTALE, CHANGED)
        os.fchmod(handle, mode)
    finally:
        os.close(handle)


def listed(folder: str) -> list[str]:
    """What is in a folder; nothing when it cannot be read."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
