"""A host in memory for the doctor: sound in every respect until a test breaks something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from ds01.domain.binds import below
from ds01.ports.facts import DiskFacts, FileFacts, Hardware, MountFacts, ProcessFacts

GIB = 1024**3

_SYSCTLS = {
    "fs.protected_hardlinks": "1",
    "fs.protected_symlinks": "1",
    "fs.protected_regular": "2",
    "fs.protected_fifos": "1",
    "kernel.yama.ptrace_scope": "1",
    "kernel.dmesg_restrict": "1",
    "kernel.unprivileged_bpf_disabled": "2",
    "fs.inotify.max_user_instances": "1024",
}


@dataclass
class SimFacts:
    """Change a field to change the host."""

    files: dict[str, FileFacts] = field(default_factory=dict)
    mounts: dict[str, MountFacts] = field(
        default_factory=lambda: {
            "/": MountFacts(point="/", kind="ext4", options=frozenset({"rw"})),
            "/home": MountFacts(point="/home", kind="ext4", options=frozenset({"rw", "nosuid", "nodev"})),
        }
    )
    disks: dict[str, DiskFacts] = field(
        default_factory=lambda: {"/": DiskFacts(free_bytes=500 * GIB, total_bytes=1000 * GIB)}
    )
    machine: Hardware = field(default_factory=lambda: Hardware(cpus=64, memory_bytes=512 * GIB))
    ports: set[tuple[str, int]] = field(default_factory=lambda: {("127.0.0.1", 22)})
    ways: set[IPv4Network] = field(default_factory=lambda: {IPv4Network("10.20.0.0/16")})
    addresses: set[str] = field(default_factory=lambda: {"127.0.0.1", "10.20.0.5"})
    sysctls: dict[str, str] = field(default_factory=lambda: dict(_SYSCTLS))
    cgroups: int = 2
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    answers: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    synchronised: bool | None = True
    guards: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    ciphers: bool = False
    opened: dict[str, bool] = field(default_factory=dict)
    """Devices that a test tried for programs outside containers; of others nothing is known."""
    running: dict[int, ProcessFacts] = field(default_factory=dict)

    async def file(self, path: str) -> FileFacts | None:
        """What was put there."""
        return self.files.get(path)

    async def mount(self, path: str) -> MountFacts | None:
        """The deepest mount above the path."""
        points = [point for point in self.mounts if below(path, point)]
        return self.mounts[max(points, key=len)] if points else None

    async def disk(self, path: str) -> DiskFacts | None:
        """The deepest file system above the path."""
        points = [point for point in self.disks if below(path, point)]
        return self.disks[max(points, key=len)] if points else None

    async def hardware(self) -> Hardware:
        """A server's."""
        return self.machine

    async def listeners(self) -> frozenset[tuple[str, int]]:
        """Only sshd at first."""
        return frozenset(self.ports)

    async def processes(self, pids: Sequence[int]) -> Mapping[int, ProcessFacts]:
        """Those that were put there."""
        return {pid: self.running[pid] for pid in pids if pid in self.running}

    async def routes(self) -> frozenset[IPv4Network]:
        """The campus."""
        return frozenset(self.ways)

    async def has_address(self, address: str) -> bool:
        """As set."""
        return address in self.addresses

    async def sysctl(self, name: str) -> str | None:
        """Debian's values, hardened."""
        return self.sysctls.get(name)

    async def cgroup_version(self) -> int:
        """Which tree is mounted."""
        return self.cgroups

    async def members(self, group: str) -> frozenset[str]:
        """Who was put into it."""
        return self.groups.get(group, frozenset())

    async def headers(self, socket: str, path: str) -> Mapping[str, str] | None:
        """What was set for this socket and path."""
        return self.answers.get((socket, path))

    async def step_guard(self, engine: str) -> str:
        """As put there; no engine has one by itself."""
        return self.guards.get(engine, "")

    async def clock_synchronised(self) -> bool | None:
        """As set."""
        return self.synchronised

    async def text(self, path: str) -> str | None:
        """What was put there."""
        return self.texts.get(path)

    async def version_of(self, program: str) -> str:
        """As set; no program is there by itself."""
        return self.versions.get(program, "")

    async def crypto_sockets(self) -> bool:
        """As set."""
        return self.ciphers

    async def opens(self, path: str) -> bool | None:
        """As set."""
        return self.opened.get(path)
