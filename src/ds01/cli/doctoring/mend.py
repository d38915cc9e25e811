"""``ds01 doctor --fix``: what is the caller's own and can be put right without taking anything away that is in use.

Each is said before it is done. What concerns the server is not mended here: a switch that an admin turned off would be
turned on behind her back.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial

from ds01.cli.editors.running import FOLDER, connected
from ds01.domain.record import record
from ds01.projects import file

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_CHANGED = "it is not what it was when you were asked"


@record
class Mend:
    """One thing: what is wrong, what would be done, and how."""

    wrong: str
    todo: str
    do: Callable[[], object]


def found(home: str) -> Iterator[Mend]:
    """All that can be mended, one after the other."""
    yield from _ssh(home)
    yield from _secrets(home)
    yield from _sockets(home)


def _ssh(home: str) -> Iterator[Mend]:
    """sshd lets nobody in by a key that others could have put there."""
    for path in (home, os.path.join(home, ".ssh"), os.path.join(home, ".ssh/authorized_keys")):
        own = _own(path)
        if own and own.st_mode & _OTHERS_WRITE:
            better = stat.S_IMODE(own.st_mode) & ~_OTHERS_WRITE
            yield Mend(
                wrong=f"Others may write {path}, so ssh refuses your key.", todo=f"chmod {better:o} {path}",
                do=partial(_narrow, path, own, better),
            )  # fmt: skip


def _secrets(home: str) -> Iterator[Mend]:
    """Tokens of editors and the key of ``ds01 ssh`` are their owner's alone."""
    state = os.path.join(os.environ.get("XDG_STATE_HOME") or os.path.join(home, ".local/state"), "ds01")
    editors = os.path.join(state, "editors")
    names = [os.path.join(state, "ssh_host_ed25519_key")]
    names += [os.path.join(editors, name) for name in _listed(editors)]
    for path in names:
        own = _own(path)
        if own and own.st_mode & 0o077:
            yield Mend(
                wrong=f"Others may read {path}, which has a secret in it.", todo=f"chmod 600 {path}",
                do=partial(_narrow, path, own, 0o600),
            )  # fmt: skip


def _sockets(home: str) -> Iterator[Mend]:
    """Sockets of programs that are no more: a container that was killed leaves them."""
    for project in file.names(home):
        folder = os.path.join(file.workspaces(home), project, FOLDER)
        for name in _listed(folder):
            path = os.path.join(folder, name)
            if name.endswith(".sock") and _dead(path):
                yield Mend(
                    wrong=f"{path} leads to a program that has ended.", todo=f"rm {path}",
                    do=partial(_remove, path),
                )  # fmt: skip


def _own(path: str) -> os.stat_result | None:
    """A plain file or folder of the caller's own; anything else is None and left alone."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if status.st_uid != os.geteuid() or not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        return None
    return status


def _narrow(path: str, asked: os.stat_result, mode: int) -> None:
    """Take rights from what was asked about. Raises OSError when something else is there by now."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        now = os.fstat(handle)
        if (now.st_dev, now.st_ino, now.st_uid, now.st_mode) != (
            asked.st_dev, asked.st_ino, asked.st_uid, asked.st_mode,
        ):  # fmt: skip
            raise OSError(errno.ESTALE, _CHANGED)
        os.fchmod(handle, mode)
    finally:
        os.close(handle)


def _remove(path: str) -> None:
    """Remove a socket that still leads nowhere. Raises OSError."""
    if not _dead(path):
        raise OSError(errno.ESTALE, _CHANGED)
    os.unlink(path)


def _dead(path: str) -> bool:
    try:
        status = os.lstat(path)
        if not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.geteuid():
            return False
        connected(path).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
