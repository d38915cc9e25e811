"""Whether what is open may be mounted: decided about the descriptor, never about a path.

Closed by default: a folder or an ordinary file, on a file system that holds files and that no user mounted, outside
the machine's own trees, and the user's own or in a folder of shared data.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass

from ds01.adapters.host import mounts
from ds01.domain.binds import check_place, refused, share_of, shown
from ds01.domain.people import User


@dataclass(frozen=True, kw_only=True)
class Found:
    """What an open descriptor is, after every check.

    ``mine`` is False for shared data. ``nothing_to_plant`` says that a setuid file or a device node made in it would
    mean nothing to the host.
    """

    real: str
    owner: int
    folder: bool
    mine: bool
    mount: mounts.Mounted
    nothing_to_plant: bool


def judged(fd: int, user: User, path: str, shares: Iterable[str]) -> Found:
    """Judge what is open. The real path is the kernel's own name for it, not the one that was asked for."""
    facts = os.fstat(fd)
    real = os.readlink(f"/proc/self/fd/{fd}")
    _check_kind(facts, path, real)
    table = mounts.mounted()
    own = _file_system(fd, path, table)
    share = share_of(real, [os.path.realpath(share) for share in shares if share.startswith("/")])
    check_place(path, real, shared=share is not None)
    mine = facts.st_uid == user.uid
    if not mine and share is None:
        leads = "It" if real == path else f"It leads to {shown(real)}, which"
        raise refused(path, f"{leads} belongs to {_name(facts.st_uid)}, not to {user.login}.")
    return Found(
        real=real,
        owner=facts.st_uid,
        folder=stat.S_ISDIR(facts.st_mode),
        mine=mine,
        mount=own,
        nothing_to_plant=mounts.safe(real, own, table),
    )


def _check_kind(facts: os.stat_result, path: str, real: str) -> None:
    if facts.st_nlink == 0 or not real.startswith("/"):
        raise refused(path, "It was removed in this moment.", "Try again.")
    if not stat.S_ISDIR(facts.st_mode) and not stat.S_ISREG(facts.st_mode):
        raise refused(path, "It is neither a folder nor an ordinary file (a socket, a pipe or a device).")


def _file_system(fd: int, path: str, table: tuple[mounts.Mounted, ...]) -> mounts.Mounted:
    own = mounts.mount_of(fd, table)
    if own is None or own.kind in mounts.VIRTUAL:
        raise refused(path, "It is on a file system that holds no files.")
    if own.of_a_user:
        raise refused(path, "It is on a file system that a user mounted.", "Copy it to a folder of the server first.")
    return own


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
