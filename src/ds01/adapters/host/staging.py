"""Where pins are: ``<run>/binds/<uid>/<key>/<n>``, one key per container, each ``n`` a bind mount.

The folders are root's alone, so no user can reach or replace what is in them. The tree itself is the record: after a
crash the reconciler lists its keys and undoes those nobody owns.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from ds01.adapters.host import kernel
from ds01.adapters.host.mounts import Mounted, is_mounted
from ds01.domain.binds import refused
from ds01.domain.errors import INTERNAL, Ds01Error

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_KEPT = {"ro": kernel.MS_RDONLY, "noexec": kernel.MS_NOEXEC, "nosymfollow": kernel.MS_NOSYMFOLLOW}
"""Flags of the source that a bind must not lose."""


class Staging:
    """The tree of pins below ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))

    @property
    def root(self) -> Path:
        """The tree of all pins."""
        return self._root

    def place(self, uid: int, key: str, index: int | None) -> Path:
        """The staged path of a pin, its folders made; ``index`` None is the next free one."""
        if _KEY.fullmatch(key) is None:
            raise Ds01Error(INTERNAL, f"'{key}' cannot name a container's folders.")
        folder = self._root
        self._own(folder, parents=True)
        for part in (str(uid), key):
            folder = folder / part
            self._own(folder)
        return folder / str(self._next(folder) if index is None else index)

    def mount(self, fd: int, target: Path, source: Mounted, path: str, *, read_only: bool) -> None:
        """Bind what ``fd`` holds at ``target``; afterwards it is verified that nothing else is there."""
        self._placeholder(target, folder=stat.S_ISDIR(os.fstat(fd).st_mode))
        try:
            kernel.bind(f"/proc/self/fd/{fd}", str(target))
            kernel.set_bind_flags(str(target), _flags(source, read_only=read_only))
            if not os.path.samestat(os.fstat(fd), os.lstat(target)):
                raise OSError(errno.ESTALE, "something else is there now")
        except OSError as error:
            self._drop(target)
            self._sweep(target.parent)
            raise _unmountable(path, error) from error

    def is_mounted(self, target: Path) -> bool:
        """Whether a pin is there."""
        return is_mounted(str(target))

    def clear(self, target: Path) -> None:
        """Undo one pin; its key stays."""
        self._drop(target)

    def keys(self) -> frozenset[str]:
        """All keys with a folder."""
        return frozenset(folder.name for folder in self._folders())

    def drop(self, key: str) -> None:
        """Undo all pins of a key. Only mounts, empty placeholders and empty folders are ever taken away."""
        for folder in self._folders():
            if folder.name == key:
                for target in sorted(folder.iterdir()):
                    self._drop(target)
                self._sweep(folder)

    def _folders(self) -> Iterator[Path]:
        if self._root.is_dir():
            for user in sorted(self._root.iterdir()):
                yield from sorted(user.iterdir())

    def _drop(self, target: Path) -> None:
        while self.is_mounted(target):
            kernel.unmount(str(target))
        if stat.S_ISDIR(os.lstat(target).st_mode):
            target.rmdir()
        else:
            target.unlink()

    @staticmethod
    def _sweep(folder: Path) -> None:
        """Take an empty key away, and its user's folder when that is empty too."""
        for empty in (folder, folder.parent):
            if not any(empty.iterdir()):
                empty.rmdir()

    @staticmethod
    def _placeholder(target: Path, *, folder: bool) -> None:
        """Something of the right kind to mount on, left over or new."""
        if target.exists() and target.is_dir() != folder:
            target.rmdir() if target.is_dir() else target.unlink()
        if folder:
            target.mkdir(mode=0o700, exist_ok=True)
        else:
            target.touch(mode=0o600)

    @staticmethod
    def _own(folder: Path, *, parents: bool = False) -> None:
        folder.mkdir(mode=0o700, exist_ok=True, parents=parents)
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise Ds01Error(
                INTERNAL,
                f"{folder} is not a folder of root's alone, so nothing is mounted there.",
                hint=f"Remove it: rm -d {folder}",
            )

    @staticmethod
    def _next(folder: Path) -> int:
        return max((int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal()), default=-1) + 1


def _flags(source: Mounted, *, read_only: bool) -> int:
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | (kernel.MS_RDONLY if read_only else 0)
    for option, flag in _KEPT.items():
        flags |= flag if option in source.options else 0
    return flags


def _unmountable(path: str, error: OSError) -> Ds01Error:
    if error.errno == errno.EACCES:
        return refused(
            path,
            "The file server does not let this server's root look at it (root squash, or a mount of your own).",
            "Mount a folder of a local disk, or ask the admin to export it to root.",
        )
    if error.errno in (errno.ESTALE, errno.ENOENT):
        return refused(path, "It was removed or replaced in this moment.", "Try again.")
    return refused(path, f"{error.strerror or error}.")
