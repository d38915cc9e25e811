"""The host: folders opened with a user's own rights, and the cgroups that hold a user's containers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ds01.domain.container import ContainerId
from ds01.domain.devices import Node
from ds01.domain.guard import Refusal, StartGrant
from ds01.domain.limits import Value
from ds01.domain.people import User
from ds01.domain.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A folder or file pinned by file descriptor: what was checked is what gets mounted.

    ``source`` is the staged path to give the engine; ``real`` the path it had when pinned (as asked for, when the
    pin stood already). ``safe`` says that root in a container can plant nothing there: every mount that shows it is
    ``nosuid,nodev``, or the pin is read-only. Shared data is never safe, because root in a container reads what its
    owner may not. With an unsafe pin everything in the container must run as its owner.
    """

    source: str
    real: str
    owner_uid: int
    is_folder: bool
    safe: bool
    read_only: bool = False
    """Whether it was pinned read-only: asked for, or forced because it is shared data."""


@dataclass(frozen=True, kw_only=True)
class StepPermit:
    """What one step of a user's build gets. ``parent`` is the engine's ``CgroupParent`` of ``ensure_slice``."""

    parent: str
    memory_bytes: int
    swap_bytes: int
    cpu_period_us: int
    cpu_quota_us: int
    pids: int


class Host(Protocol):
    """Privileged acts on the host, each checked."""

    def pin(self, user: User, path: str, key: str, *, create: bool = False, read_only: bool = False,
            shared: tuple[str, ...] = (), folder: bool = False) -> Pin:  # fmt: skip
        """Open ``path`` as ``user`` and bind it to a root-only place under ``key`` (one key per container).

        The thing must be the user's own, or below one of ``shared`` (then read-only is forced). ``create`` makes
        missing folders as the user, closed to others; ``folder`` refuses a file. Raises Ds01Error (``mount.denied``,
        ``disk.full``) in a sentence; nothing of this pin is left then. May wait for a file server: call it from a
        thread.
        """
        ...

    def unpin(self, key: str) -> None:
        """Undo all pins of a key; unknown keys are fine."""
        ...

    def place(self, user: User) -> str:
        """The folder that this user's pins are below."""
        ...

    def pinned(self) -> frozenset[str]:
        """The keys with pins, for the reconciler."""
        ...

    def repin(self, user: User, path: str, key: str, index: int, *, read_only: bool = False,
              shared: tuple[str, ...] = ()) -> Pin:  # fmt: skip
        """Make a pin of a stopped container again (after a reboot) at its old staged path.

        One that still stands is left as it is, whatever its path leads to by now. Nothing can be started on one whose
        folder was deleted: what the path leads to then is judged and pinned instead.
        """
        ...

    async def unpack(self, user: User, folder: str, archive: AsyncGenerator[bytes, None]) -> None:
        """Unpack a tar archive, or several one after another, below ``folder`` as ``user``, making the folder. Raises
        Ds01Error (``mount.denied``).
        """
        ...

    def is_empty(self, folder: str) -> bool:
        """Whether a volume's folder has nothing in it."""
        ...

    def hand_over(self, user: User, folder: str) -> None:
        """Make a volume's folder, with what the engine put there, the user's own. Links are not followed."""
        ...

    def mark_reached(self, folder: str) -> None:
        """Note at the volume with this folder that its owner's shell may have a part of it open, for as long as it
        exists. Raises Ds01Error.
        """
        ...

    def is_reached(self, folder: str) -> bool:
        """Whether that is noted at the volume with this folder. Raises Ds01Error."""
        ...

    def ensure_slice(self, user: User, aggregate: Mapping[str, Value]) -> str:
        """Create the user's cgroup with these limits and return the engine's ``CgroupParent``."""
        ...

    def permit_steps(self, folder: str, user: User, permit: StepPermit) -> None:
        """Let steps of this user's BuildKit builds run, with what ``permit`` says, on the engine whose guard is
        in ``folder`` (``HostFacts.step_guard``).
        """
        ...

    def device(self, path: str) -> Node | None:
        """What is at a path below /dev, links followed; None when nothing is."""
        ...

    def grant(self, guard: str, grant: StartGrant) -> None:
        """Tell the guard in folder ``guard`` that this container may start so, instead of what it was told before."""
        ...

    def withdraw(self, guard: str, container: ContainerId) -> None:
        """Take a grant away; none is fine."""
        ...

    def spend(self, guard: str, container: ContainerId) -> None:
        """Let nothing start by its grant any more, if that is one with GPUs; none is fine."""
        ...

    def grants(self, guard: str) -> tuple[StartGrant, ...]:
        """All grants the guard has, used or not."""
        ...

    def offer(self, guard: str, container: ContainerId, user: User, terminal: Terminal) -> Callable[[], None]:
        """Let the guard pass this terminal of the user's to the next start of the container; returns what takes the
        offer back. What is no terminal of hers is not offered. Call both from a thread.
        """
        ...

    def refused(self, guard: str) -> tuple[Refusal, ...]:
        """What the guard refused and nobody has told yet, the same again until it is ``told``."""
        ...

    def told(self, guard: str) -> None:
        """What it last said to have ``refused`` is in the ledger."""
        ...

    def publish(self, guard: str, data_root: str) -> None:
        """Bring the guard's facts up to date: the engine's data root, and where pins are."""
        ...

    def admin_slice(self, guard: str) -> str:
        """The cgroup of containers that the admin starts beside DS01, as the guard knows it; only root can read it."""
        ...

    def touched(self, user: User, path: str) -> datetime | None:
        """When this file was last changed, looked at with the user's own rights; None when she has none there.

        Raises TimeoutError when its file server does not answer. Call it from a thread.
        """
        ...

    def add_lines(self, user: User, workspace: str, path: str, lines: Sequence[str]) -> None:
        """Add those of the lines that are missing to the small text file ``path`` (a folder and a name) of a workspace,
        as ``user``, making both. Raises Ds01Error (``workspace.denied``, ``disk.full``). Call it from a thread.
        """
        ...

    def boot_id(self) -> str:
        """Changes when the host restarts."""
        ...
