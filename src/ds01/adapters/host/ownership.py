"""A volume's files become its owner's.

The engine makes volumes as root and fills new ones from the image, as root. Everything in a container is its owner's,
so what was put there for her is made hers, once, before a container runs on it. Links are never followed.
"""

from __future__ import annotations

import os
import stat

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def is_empty(folder: str) -> bool:
    """Whether nothing is in it; a folder that is not there counts as empty."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except FileNotFoundError:
        return True


def hand_over(folder: str, uid: int, gid: int) -> None:
    """Give the folder and everything in it to this user."""
    descriptor = os.open(folder, _FOLDER)
    try:
        _give(descriptor, uid, gid)
    finally:
        os.close(descriptor)


def _give(folder: int, uid: int, gid: int) -> None:
    os.fchown(folder, uid, gid)
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        os.chown(name, uid, gid, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            below = os.open(name, _FOLDER, dir_fd=folder)
            try:
                _give(below, uid, gid)
            finally:
                os.close(below)
