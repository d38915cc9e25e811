"""The host port on Linux: folders pinned by descriptor, slices, and two facts about the machine.

A path can be pointed elsewhere at any moment, so a path is never checked. It is opened once, as the user, and
everything is decided about the open descriptor; the same descriptor is then mounted where only root can reach it.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ds01.adapters.host import marks, mounts, nodes, ownership, steps, terminals
from ds01.adapters.host.guard import GuardFolder
from ds01.adapters.host.identity import opened_as
from ds01.adapters.host.inside import add_lines
from ds01.adapters.host.judging import judged
from ds01.adapters.host.kernel import open_path
from ds01.adapters.host.opening import opened
from ds01.adapters.host.slices import Slices
from ds01.adapters.host.staging import Staging
from ds01.adapters.host.unpack import unpack
from ds01.domain.binds import checked_path, refused
from ds01.domain.container import ContainerId
from ds01.domain.devices import Node
from ds01.domain.guard import Refusal, StartGrant
from ds01.domain.limits import Value
from ds01.domain.people import User
from ds01.domain.terminal import Terminal
from ds01.ports.host import Pin, StepPermit

_log = logging.getLogger(__name__)


class LinuxHost:
    """Needs root. ``run`` holds the pins (``<run>/binds``), ``cgroup_driver`` is the engine's."""

    def __init__(
        self,
        *,
        run: Path,
        cgroup_driver: str = "cgroupfs",
        cgroup_root: Path = Path("/sys/fs/cgroup"),
        sysctl: Path = Path("/proc/sys"),
    ) -> None:
        self._staging = Staging(run / "binds")
        self._slices = Slices(cgroup_driver, cgroup_root)
        self._sysctl = sysctl
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

    def place(self, user: User) -> str:
        """One for each uid."""
        return str(self._staging.root / str(user.uid))

    def pinned(self) -> frozenset[str]:
        """The keys with pins."""
        with self._lock:
            return self._staging.keys()

    async def unpack(self, user: User, folder: str, archive: AsyncGenerator[bytes, None]) -> None:
        """Unpack a tar archive as the user."""
        await unpack(user, folder, archive)

    def is_empty(self, folder: str) -> bool:
        """Whether nothing is in it."""
        return ownership.is_empty(folder)

    def hand_over(self, user: User, folder: str) -> None:
        """Everything in it becomes the user's."""
        ownership.hand_over(folder, user.uid, user.gid)

    def mark_reached(self, folder: str) -> None:
        """A mark beside it."""
        marks.mark(folder)

    def is_reached(self, folder: str) -> bool:
        """Whether there is a mark."""
        return marks.is_marked(folder)

    def ensure_slice(self, user: User, aggregate: Mapping[str, Value]) -> str:
        """The user's slice with these limits."""
        return self._slices.ensure(user, aggregate)

    def permit_steps(self, folder: str, user: User, permit: StepPermit) -> None:
        """A file that only root reads."""
        steps.permit(Path(folder), user.uid, permit)

    def device(self, path: str) -> Node | None:
        """By its numbers, and the kernel's list of drivers."""
        return nodes.look(path)

    def grant(self, guard: str, grant: StartGrant) -> None:
        """Write it into the guard's folder."""
        GuardFolder(Path(guard)).grant(grant, self.boot_id())

    def withdraw(self, guard: str, container: ContainerId) -> None:
        """Take it out of the guard's folder."""
        GuardFolder(Path(guard)).withdraw(container)

    def spend(self, guard: str, container: ContainerId) -> None:
        """Mark its grant as used."""
        GuardFolder(Path(guard)).spend(container)

    def grants(self, guard: str) -> tuple[StartGrant, ...]:
        """What is in the guard's folder."""
        return GuardFolder(Path(guard)).grants()

    def offer(self, guard: str, container: ContainerId, user: User, terminal: Terminal) -> Callable[[], None]:
        """Hold it open, and name it in the guard's folder."""
        try:
            return terminals.offer(Path(guard), container, user.uid, terminal)
        except OSError as error:
            _log.warning("no terminal for a start", extra={"uid": user.uid, "path": terminal.path, "error": str(error)})
            return lambda: None

    def refused(self, guard: str) -> tuple[Refusal, ...]:
        """What is in the guard's record, which begins anew."""
        return GuardFolder(Path(guard)).refused()

    def told(self, guard: str) -> None:
        """Throw away what was taken from the record."""
        GuardFolder(Path(guard)).told()

    def publish(self, guard: str, data_root: str) -> None:
        """With the place of this host's pins."""
        GuardFolder(Path(guard)).publish(data_root, self._staging.root)

    def admin_slice(self, guard: str) -> str:
        """From the guard's facts."""
        return GuardFolder(Path(guard)).admin_slice()

    def touched(self, user: User, path: str) -> datetime | None:
        """Opened as the user, without reading it."""
        try:
            fd = opened_as(user, partial(open_path, path, 0))
        except TimeoutError:
            raise
        except OSError:
            return None
        try:
            return datetime.fromtimestamp(os.fstat(fd).st_mtime, UTC)
        finally:
            os.close(fd)

    def add_lines(self, user: User, workspace: str, path: str, lines: Sequence[str]) -> None:
        """Opened as the user."""
        add_lines(user, workspace, path, lines)

    def boot_id(self) -> str:
        """The kernel's own."""
        return (self._sysctl / "kernel/random/boot_id").read_text().strip()

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
        if index is not None and (standing := self._mounted(user, key, index)) is not None:
            if os.lstat(standing).st_nlink:
                return self._standing(standing, user, plain)
            # It was deleted, and nothing can be started on it: what its path leads to now is judged like any other.
            with self._lock:
                self._staging.clear(standing)
        with opened(user, plain, create=create) as fd:
            found = judged(fd, user, plain, shared)
            if folder and not found.folder:
                raise refused(plain, "It is a file, not a folder.", "Move the file away.")
            with self._lock:
                target = self._staging.place(user.uid, key, index)
                only = read_only or not found.mine
                self._staging.mount(fd, target, found.mount, plain, read_only=only)
        return Pin(
            source=str(target),
            real=found.real,
            owner_uid=found.owner,
            is_folder=found.folder,
            safe=self._safe(found.mine, only, found.nothing_to_plant),
            read_only=only,
        )

    def _mounted(self, user: User, key: str, index: int) -> Path | None:
        """The place of a pin that stands. The pin itself is not touched here: its file server may hang."""
        with self._lock:
            target = self._staging.place(user.uid, key, index)
            return target if self._staging.is_mounted(target) else None

    def _standing(self, target: Path, user: User, path: str) -> Pin:
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
            safe=self._safe(facts.st_uid == user.uid, only, mounts.safe(str(target), own, table)),
            read_only=only,
        )

    def _safe(self, mine: bool, read_only: bool, nothing_to_plant: bool) -> bool:
        """Whether root in a container can neither plant anything in it nor reach anything through it.

        Where the kernel lets users link files they may not write, such a link in her folder would be open to root.
        """
        links = self._sysctl / "fs/protected_hardlinks"
        protected = links.exists() and links.read_text().strip() == "1"
        return mine and protected and (read_only or nothing_to_plant)
