"""A host in memory: folders with owners, pins and slices that are only written down.

It keeps the same promises as the real one about what may be pinned, so that the daemon's services can be tested
without root. Every account's home exists and is hers.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath

from ds01.domain.binds import check_place, checked_path, refused, share_of, shown
from ds01.domain.container import ContainerId
from ds01.domain.devices import Node, NodeKind
from ds01.domain.errors import BAD_WORKSPACE, Ds01Error
from ds01.domain.guard import Refusal, StartGrant
from ds01.domain.limits import Value
from ds01.domain.people import User
from ds01.domain.suggestions import missing
from ds01.domain.terminal import Terminal
from ds01.ports.host import Pin, StepPermit

ADMIN_SLICE = "ds01-admin-0123456789abcdef.slice"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something in the simulated file system. ``link`` is where a symbolic link leads."""

    owner: int
    folder: bool = True
    link: str = ""


class SimHost:
    """A host whose file systems honour setuid files (``safe`` is False) unless told otherwise.

    With ``homes_are_full`` every folder somebody names below a home is there: for a ds01d that is tried out.
    """

    def __init__(self, *, safe: bool = False, homes_are_full: bool = False) -> None:
        self.entries: dict[str, Entry] = {}
        self.slices: dict[str, dict[str, Value]] = {}
        self.terminals: dict[tuple[str, ContainerId], Terminal] = {}
        self.pins: dict[str, dict[int, Pin]] = {}
        self.permits: dict[tuple[str, int], StepPermit] = {}
        self.unpacked: dict[str, bytes] = {}
        self.guards: dict[str, dict[ContainerId, StartGrant]] = {}
        self.refusals: dict[str, list[Refusal]] = {}
        self.data_roots: dict[str, str] = {}
        """What the guard in each folder was told last."""
        self.handed: dict[str, int] = {}
        self.reached: set[str] = set()
        self.touches: dict[str, datetime] = {}
        self.nodes: dict[str, Node] = {}
        """What is below /dev, by each path that leads to it."""
        self.put_node("/dev/null", 1, 3, "mem")
        self.texts: dict[str, str] = {}
        """Small files that were written for somebody in her workspace."""
        self._safe = safe
        self._homes_are_full = homes_are_full
        self._boots = 1
        self._stood: dict[str, Entry] = {}

    def put(self, path: str, owner: int, *, folder: bool = True, link: str = "") -> None:
        """Make something exist."""
        self.entries[path] = Entry(owner=owner, folder=folder, link=link)

    def put_node(
        self, path: str, major: int, minor: int, *drivers: str, real: str = "", kind: NodeKind = NodeKind.CHARACTER
    ) -> None:
        """Make a device exist; with ``real`` the path is a link to it."""
        self.nodes[path] = Node(path=real or path, kind=kind, major=major, minor=minor, drivers=drivers)

    def take(self, path: str) -> None:
        """Make something vanish, with the mark of a volume."""
        self.entries.pop(path, None)
        self.reached.discard(f"{path}/_data")

    def move(self, path: str, to: str) -> None:
        """Give something another path; it stays the same thing."""
        self.entries[to] = self.entries.pop(path)

    def reboot(self) -> None:
        """All pins and slices are gone, the boot id is another."""
        self.pins.clear()
        self.slices.clear()
        self._boots += 1

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
        """Check and write the pin down."""
        index = max(self.pins.get(key, {}), default=-1) + 1
        create = create or self._homes_are_full
        found = self._judged(user, checked_path(path), create=create, shared=shared, folder=folder)
        return self._keep(user, key, index, found, read_only=read_only)

    def unpin(self, key: str) -> None:
        """Forget all pins of a key."""
        self.pins.pop(key, None)

    def place(self, user: User) -> str:
        """As on a real host."""
        return f"/run/ds01/binds/{user.uid}"

    def pinned(self) -> frozenset[str]:
        """The keys with pins."""
        return frozenset(self.pins)

    def repin(
        self, user: User, path: str, key: str, index: int, *, read_only: bool = False, shared: tuple[str, ...] = ()
    ) -> Pin:
        """A pin of before stays; after a reboot, or when its folder was deleted, it is made anew."""
        standing = self.pins.get(key, {}).pop(index, None)
        if standing is not None and self._is_there(standing):
            self.pins[key][index] = standing
            return replace(standing, real=checked_path(path))
        found = self._judged(user, checked_path(path), create=False, shared=shared, folder=False)
        return self._keep(user, key, index, found, read_only=read_only)

    async def unpack(self, user: User, folder: str, archive: AsyncGenerator[bytes, None]) -> None:
        """Keep the archive, as its folder's content."""
        self.unpacked[folder] = b"".join([piece async for piece in archive])

    def is_empty(self, folder: str) -> bool:
        """Whether nobody was given it yet."""
        return folder not in self.handed

    def hand_over(self, user: User, folder: str) -> None:
        """Remember whose it is."""
        self.handed[folder] = user.uid

    def mark_reached(self, folder: str) -> None:
        """Remember it."""
        self.reached.add(folder)

    def is_reached(self, folder: str) -> bool:
        """Whether it was marked."""
        return folder in self.reached

    def ensure_slice(self, user: User, aggregate: Mapping[str, Value]) -> str:
        """Write the slice down."""
        self.slices[user.slice] = dict(aggregate)
        return f"/{user.slice}"

    def permit_steps(self, folder: str, user: User, permit: StepPermit) -> None:
        """Write the permit down."""
        self.permits[folder, user.uid] = permit

    def device(self, path: str) -> Node | None:
        """What a test put there."""
        return self.nodes.get(path)

    def grant(self, guard: str, grant: StartGrant) -> None:
        """Remember it."""
        self.guards.setdefault(guard, {})[grant.container] = grant

    def withdraw(self, guard: str, container: ContainerId) -> None:
        """Forget it."""
        self.guards.get(guard, {}).pop(container, None)

    def spend(self, guard: str, container: ContainerId) -> None:
        """Remember that it is used."""
        found = self.guards.get(guard, {}).get(container)
        if found is not None and found.gpus:
            self.guards[guard][container] = replace(found, used=True)

    def grants(self, guard: str) -> tuple[StartGrant, ...]:
        """All of one guard."""
        return tuple(self.guards.get(guard, {}).values())

    def offer(self, guard: str, container: ContainerId, user: User, terminal: Terminal) -> Callable[[], None]:
        """Remember it until it is taken back."""
        self.terminals[guard, container] = terminal

        def take_back() -> None:
            del self.terminals[guard, container]

        return take_back

    def refused(self, guard: str) -> tuple[Refusal, ...]:
        """What a test put there."""
        return tuple(self.refusals.get(guard, ()))

    def told(self, guard: str) -> None:
        """Forget it."""
        self.refusals.pop(guard, None)

    def publish(self, guard: str, data_root: str) -> None:
        """Remember it."""
        self.data_roots[guard] = data_root

    def admin_slice(self, guard: str) -> str:
        """The same for every guard."""
        return ADMIN_SLICE

    def touched(self, user: User, path: str) -> datetime | None:
        """What a test says was touched."""
        return self.touches.get(path)

    def add_lines(self, user: User, workspace: str, path: str, lines: Sequence[str]) -> None:
        """Keep them by path, as text. Whose folder it is not may not."""
        top = self.entries.get(workspace)
        if top is None or top.owner != user.uid:
            why = "no such file or directory" if top is None else "permission denied"
            raise Ds01Error(BAD_WORKSPACE, f"{shown(f'{workspace}/{path}')} was not written: {why}.")
        there = self.texts.get(f"{workspace}/{path}", "").splitlines()
        self.texts[f"{workspace}/{path}"] = "\n".join([*there, *missing(there, lines)]) + "\n"

    def boot_id(self) -> str:
        """Changes with ``reboot``."""
        return f"00000000-0000-4000-8000-{self._boots:012d}"

    def _keep(self, user: User, key: str, index: int, found: Pin, *, read_only: bool) -> Pin:
        source = f"{self.place(user)}/{key}/{index}"
        harmless = found.safe or (read_only and not found.read_only)
        pin = replace(found, source=source, safe=harmless, read_only=found.read_only or read_only)
        self.pins.setdefault(key, {})[index] = pin
        self._stood[source] = self.entries[found.real]
        return pin

    def _is_there(self, pin: Pin) -> bool:
        """Whether what was pinned still has a path, whichever."""
        return any(entry is self._stood[pin.source] for entry in tuple(self.entries.values()))

    def _judged(self, user: User, path: str, *, create: bool, shared: tuple[str, ...], folder: bool) -> Pin:
        if user.uid == 0:
            raise refused(path, "Nothing is mounted for root.", "Use an ordinary account.")
        self.entries.setdefault(user.home, Entry(owner=user.uid))
        real = self._resolved(user, path, create=create)
        entry = self.entries.get(real, Entry(owner=0))
        share = share_of(real, shared)
        check_place(path, real, shared=share is not None)
        if entry.owner != user.uid and share is None:
            raise refused(path, f"It belongs to uid {entry.owner}, not to {user.login}.")
        if folder and not entry.folder:
            raise refused(path, "It is a file, not a folder.", "Move the file away.")
        mine = entry.owner == user.uid
        return Pin(
            source="", real=real, owner_uid=entry.owner, is_folder=entry.folder, safe=self._safe and mine,
            read_only=not mine,
        )  # fmt: skip

    def _resolved(self, user: User, path: str, *, create: bool) -> str:
        """The real path: links followed, missing folders made when asked."""
        real = "/"
        for part in PurePosixPath(path).parts[1:]:
            real = f"{real.rstrip('/')}/{part}"
            entry = self.entries.get(real)
            if entry is not None and entry.link:
                real = self._resolved(user, entry.link, create=False)
            if real != path and real in self.entries and not self.entries[real].folder:
                raise refused(path, f"'{real}' is a file, not a folder.", "Move the file away.")
            if real not in self.entries:
                self._missing(user, path, real, create=create)
        return real

    def _missing(self, user: User, path: str, real: str, *, create: bool) -> None:
        """An ancestor of something that exists is root's; anything else is made, or is missing."""
        if any(known.startswith(real + "/") for known in tuple(self.entries)):
            self.entries[real] = Entry(owner=0)
            return
        parent = self.entries.get(str(PurePosixPath(real).parent), Entry(owner=0))
        if not create:
            raise refused(path, f"'{real}' does not exist.", f"Make it first: mkdir -p {path}")
        if parent.owner != user.uid:
            raise refused(path, f"{user.login} may not open '{real}'.")
        self.entries[real] = Entry(owner=user.uid)
