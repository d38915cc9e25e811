"""A volume's files become its owner's.

The engine makes volumes as root and fills new ones from the image, as root. Everything in a container is its owner's,
so what was put there for her is made hers, once, before a container runs on it. Links are never followed. What that is,
an image says: neither memory nor open files grow with it.
"""

from __future__ import annotations

import os
import stat

from ds01.domain.errors import NOT_ALLOWED, Ds01Error

DEEPEST = 200
"""Folders, one in the other: each is open while what is in it is handed over."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def is_empty(folder: str) -> bool:
    """Whether nothing is in it; a folder that is not there counts as empty."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except FileNotFoundError:
        return True


def hand_over(folder: str, uid: int, gid: int) -> None:
    """Give the folder and everything in it to this user. Raises Ds01Error when what is in it is nested too deep."""
    descriptor = os.open(folder, _FOLDER)
    try:
        _give(descriptor, uid, gid)
    finally:
        os.close(descriptor)


def _give(folder: int, uid: int, gid: int, left: int = DEEPEST) -> None:
    os.fchown(folder, uid, gid)
    with os.scandir(folder) as entries:
        for entry in entries:
            os.chown(entry.name, uid, gid, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(os.stat(entry.name, dir_fd=folder, follow_symlinks=False).st_mode):
                _give_below(folder, entry.name, uid, gid, left)


def _give_below(folder: int, name: str, uid: int, gid: int, left: int) -> None:
    if not left:
        raise Ds01Error(
            NOT_ALLOWED, f"A new volume of this container has more than {DEEPEST} folders, one in the other.",
            reason="DS01 does not make that many yours.", hint="Use an image without them",
        )  # fmt: skip
    below = os.open(name, _FOLDER, dir_fd=folder)
    try:
        _give(below, uid, gid, left - 1)
    finally:
        os.close(below)
