"""Offering the guard the terminal of whoever launches, for one start (``ds01/runc/terminal.py``).

ds01d holds the terminal open while it is offered and names it by that open file: a number of ``/dev/pts`` may be
another terminal a moment later.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from ds01.adapters.host.guard import offer_of, replace_file
from ds01.domain.container import ContainerId
from ds01.domain.terminal import Terminal

SLAVES = range(136, 144)
"""The kernel's major numbers of such terminals."""


def offer(guard: Path, container: ContainerId, uid: int, terminal: Terminal) -> Callable[[], None]:
    """Offer it; returns what takes the offer back. Raises OSError when it is no terminal of this user's."""
    path = offer_of(guard, container)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = _opened(terminal.path, uid)

    def take_back() -> None:
        path.unlink(missing_ok=True)
        os.close(descriptor)

    named = f"/proc/{os.getpid()}/fd/{descriptor}"
    try:
        replace_file(path, {"path": named, "environment": dict(terminal.environment)})
    except OSError:
        take_back()
        raise
    return take_back


def _opened(path: str, uid: int) -> int:
    """Looked at before it is opened, and opened as what was looked at: opening what is no terminal can do harm."""
    place = os.open(path, os.O_PATH | os.O_NOFOLLOW)
    try:
        found = os.fstat(place)
        if not stat.S_ISCHR(found.st_mode) or os.major(found.st_rdev) not in SLAVES or found.st_uid != uid:
            raise PermissionError(f"{path} is no terminal of hers")
        return os.open(f"/proc/self/fd/{place}", os.O_RDWR | os.O_NOCTTY)
    finally:
        os.close(place)
