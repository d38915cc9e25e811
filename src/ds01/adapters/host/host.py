"""The host port on Linux: folders pinned by descriptor, slices, and two facts about the machine.

A path can be pointed elsewhere at any moment, so a path is never checked. It is opened once, as the user, and
everything is decided about the open descriptor; the same descriptor is then mounted where only root can reach it.
"""

from __future__ import annotations

import os
import pwd
import stat
import threading
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ds01.adapters.host import mounts
from ds01.adapters.host.opening import opened
from ds01.adapters.host.slices import Slices
from ds01.adapters.host.staging import Staging
from ds01.adapters.host.unpack import unpack
from ds01.domain.binds import check_place, checked_path, refused, share_of, shown
from ds01.domain.limits import Value
from ds01.domain.people import User
from ds01.ports.host import Pin


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What an open descriptor is, after every check."""

    real: str
    owner: int
    folder: bool
    shared: bool
    mount: mounts.Mounted
    safe: bool


class LinuxHost:
    """Needs root. ``run`` holds the pins (``<run>/binds``), ``cgroup_driver`` is the engine's."""

    def __init__(
        self, *, run: Path, cgroup_driver: str = "cgroupfs", cgroup_root: Path = Path("/sys/fs/cgroup")
    ) -> None:
        self._staging = Staging(run / "binds")
        self._slices = Slices(cgroup_driver, cgroup_root)
        self._lock = threading.Lock()

    def pin(
        self,
        user: User,
        path: str,
        key: str,
        *,
        create: bool = False,
        read_only: bool = False,
        shared: tuple[str, ...] = (),
        folder: bool = False,
    ) -> Pin:
        """Open, check, and mount where only root can reach it."""
        return self._pin(user, path, key, None, create=create, read_only=read_only, shared=shared, folder=folder)

    def repin(
        self, user: User, path: str, key: str, index: int, *, read_only: bool = False, shared: tuple[str, ...] = ()
    ) -> Pin:
        """A pin that still stands stays as it is: whatever the path says now, the container keeps what it had."""
        return self._pin(user, path, key, index, read_only=read_only, shared=shared)

    def unpin(self, key: str) -> None:
        """Undo all pins of a key."""
        with self._lock:
            self._staging.drop(key)

    def pinned(self) -> frozenset[str]:
        """The keys with pins."""
        with self._lock:
            return self._staging.keys()

    async def unpack(self, user: User, folder: str, archive: AsyncIterator[bytes]) -> None:
        """Unpack a tar archive as the user."""
        await unpack(user, folder, archive)

    def ensure_slice(self, user: User, aggregate: Mapping[str, Value]) -> str:
        """The user's slice with these limits."""
        return self._slices.ensure(user, aggregate)

    def boot_id(self) -> str:
        """The kernel's own."""
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()

    def free_bytes(self, path: str) -> int:
        """Free for ordinary users, on the file system of the nearest folder that exists."""
        there = Path(path)
        while not there.exists():
            there = there.parent
        found = os.statvfs(there)
        return found.f_bavail * found.f_frsize

    def _pin(
        self,
        user: User,
        path: str,
        key: str,
        index: int | None,
        *,
        create: bool = False,
        read_only: bool = False,
        shared: tuple[str, ...] = (),
        folder: bool = False,
    ) -> Pin:
        plain = checked_path(path)
        if user.uid == 0:
            raise refused(plain, "Nothing is mounted for root.", "Use an ordinary account.")
        with self._lock:
            if index is not None and self._staging.is_mounted(target := self._staging.place(user.uid, key, index)):
                return _standing(target, user, plain)
        with opened(user, plain, create=create) as fd:
            found = _found(fd, user, plain, shared)
            if folder and not found.folder:
                raise refused(plain, "It is a file, not a folder.", "Move the file away.")
            with self._lock:
                target = self._staging.place(user.uid, key, index)
                only = read_only or found.shared
                self._staging.mount(fd, target, found.mount, plain, read_only=only)
        return Pin(
            source=str(target),
            real=found.real,
            owner_uid=found.owner,
            is_folder=found.folder,
            safe=found.safe or (only and not found.shared),
            read_only=only,
        )


def _standing(target: Path, user: User, path: str) -> Pin:
    """A pin of before, kept as it is."""
    facts = os.lstat(target)
    table = mounts.mounted()
    own = next(mount for mount in reversed(table) if mount.point == str(target))
    only = "ro" in own.options
    return Pin(
        source=str(target),
        real=path,
        owner_uid=facts.st_uid,
        is_folder=stat.S_ISDIR(facts.st_mode),
        safe=facts.st_uid == user.uid and (only or mounts.safe(str(target), own, table)),
        read_only=only,
    )


def _found(fd: int, user: User, path: str, shares: Iterable[str]) -> _Found:
    """Judge what is open. The real path is the kernel's own name for it, not the one that was asked for."""
    facts = os.fstat(fd)
    real = os.readlink(f"/proc/self/fd/{fd}")
    _check_kind(facts, path, real)
    table = mounts.mounted()
    own = mounts.mount_of(fd, table)
    if own is None or own.kind in mounts.VIRTUAL:
        raise refused(path, "It is on a file system that holds no files.")
    if own.of_a_user:
        raise refused(path, "It is on a file system that a user mounted.", "Copy it to a folder of the server first.")
    share = share_of(real, [os.path.realpath(share) for share in shares])
    check_place(path, real, shared=share is not None)
    if facts.st_uid != user.uid and share is None:
        leads = "It" if real == path else f"It leads to {shown(real)}, which"
        raise refused(path, f"{leads} belongs to {_name(facts.st_uid)}, not to {user.login}.")
    mine = facts.st_uid == user.uid
    return _Found(
        real=real,
        owner=facts.st_uid,
        folder=stat.S_ISDIR(facts.st_mode),
        shared=not mine,
        mount=own,
        safe=mine and mounts.safe(real, own, table),
    )


def _check_kind(facts: os.stat_result, path: str, real: str) -> None:
    if facts.st_nlink == 0 or not real.startswith("/"):
        raise refused(path, "It was removed in this moment.", "Try again.")
    if not stat.S_ISDIR(facts.st_mode) and not stat.S_ISREG(facts.st_mode):
        raise refused(path, "It is neither a folder nor an ordinary file (a socket, a pipe or a device).")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
