"""Facts about the host that the doctor looks at. Reading only: nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """Who may do what with a file, and how large it is. ``mode`` has the permission bits only; ``group`` is the group's
    name.
    """

    kind: str
    """``file``, ``folder``, ``socket`` or ``other``."""
    owner_uid: int
    group: str
    mode: int
    size_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class MountFacts:
    """The mount a path is on."""

    point: str
    kind: str
    options: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class DiskFacts:
    """The space of a file system, in bytes."""

    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """The machine's cores and memory."""

    cpus: int
    memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class ProcessFacts:
    """A process of the host: what it calls itself, its owner's login (or uid), the paths of its cgroups, and when it
    began, if that is known. ``program`` is the path of the file it runs where nobody but root may write that, and empty
    elsewhere, for a process may call itself anything; it is empty for a process of a person's too, whose file system
    may be a program of hers that does not answer.
    """

    command: str
    user: str
    cgroup: str
    started_at: datetime | None = None
    program: str = ""
    uid: int | None = None


class HostFacts(Protocol):
    """What can be seen of the host. What is not there is None or empty, never an error."""

    async def file(self, path: str) -> FileFacts | None: ...
    async def mount(self, path: str) -> MountFacts | None: ...
    async def disk(self, path: str) -> DiskFacts | None: ...
    async def hardware(self) -> Hardware: ...
    async def listeners(self) -> frozenset[tuple[str, int]]:
        """Address and port of every TCP socket that listens, of IPv4 and IPv6."""
        ...

    async def processes(self, pids: Sequence[int]) -> Mapping[int, ProcessFacts]:
        """Those of these processes that are there."""
        ...

    async def routes(self) -> frozenset[IPv4Network]:
        """The ranges of addresses this host has a way to, without the default one."""
        ...

    async def has_address(self, address: str) -> bool:
        """Whether this IPv4 address is one of the host's now."""
        ...

    async def sysctl(self, name: str) -> str | None:
        """``fs.protected_symlinks`` and the like."""
        ...

    async def cgroup_version(self) -> int:
        """1 or 2; 0 when there are none."""
        ...

    async def members(self, group: str) -> frozenset[str]:
        """Logins in a Unix group, whether it is their first one or another."""
        ...

    async def headers(self, socket: str, path: str) -> Mapping[str, str] | None:
        """The response's headers of a GET over a unix socket, in lower case; None when nobody answers in time."""
        ...

    async def step_guard(self, engine: str) -> str:
        """The folder whose ``runc`` this engine (a socket) starts the steps of BuildKit builds with, when that is
        ours; else empty. What cannot be found out is empty.
        """
        ...

    async def clock_synchronised(self) -> bool | None:
        """Whether the kernel's clock is kept by a time service; None when the kernel does not say."""
        ...

    async def text(self, path: str) -> str | None:
        """What is in a small configuration file; None when it is not there or no text."""
        ...

    async def version_of(self, program: str) -> str:
        """What a program on the PATH says of its version, in numbers such as ``1.17.8``; empty when it is not there."""
        ...

    async def crypto_sockets(self) -> bool:
        """Whether the kernel gives programs sockets to its ciphers (AF_ALG)."""
        ...

    async def opens(self, path: str) -> bool | None:
        """Whether a program of somebody who is logged in, outside of any container, can open this device: tried, as an
        account without rights in the cgroup of a session. None when nobody is logged in, or it cannot be tried.
        """
        ...
