"""How a container is confined, as the engine shows it, and what of it DS01 never gives.

The gateway and the guard let nothing of this happen. This looks at what is there all the same: a hole in one of them,
a container that root made beside them, settings that were changed on the engine's own socket.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ds01.domain.binds import below
from ds01.domain.gpu import SlotId

CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT", "SYS_PTRACE",
    }
)  # fmt: skip
"""What a container of a user may have: the engine's own defaults without MKNOD and NET_RAW, and SYS_PTRACE
for debuggers."""

ANY = "*"
"""Stands for GPUs that were asked for without saying which."""


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """What a container may use; 0 is no limit. ``swap_bytes`` comes on top of the memory."""

    cpus: float = 0
    memory_bytes: int = 0
    swap_bytes: int = 0
    pids: int = 0


@dataclass(frozen=True, kw_only=True)
class Confinement:
    """The walls around one container. ``host`` are the namespaces it shares with the host, ``capabilities`` those added
    to the engine's, ``nodes`` device nodes of the host, ``rules`` rules for devices, ``gpus`` what was asked of a GPU
    driver, ``opened`` security options that take a wall away, ``sources`` what of the host is mounted, ``joined`` the
    containers it shares a namespace with, ``published`` the addresses of the host that its ports name, loopback left
    out, ``restart`` when the engine starts it again by itself.
    """

    privileged: bool = False
    host: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    gpus: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    cgroup_parent: str = ""
    amounts: Amounts = Amounts()
    restart: str = "no"


@dataclass(frozen=True, kw_only=True)
class Room:
    """What one container of a user may have: the cgroup ``slice_``, ``nodes`` of its lease and of a limit, mounts below
    one of ``folders``, namespaces of ``own`` containers, ports on the addresses ``publish``.
    """

    slice_: str
    folders: tuple[str, ...]
    nodes: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    publish: frozenset[str] = frozenset()


def escapes(found: Confinement, room: Room) -> Iterator[str]:
    """Everything that DS01 gives no container of a user, in words that follow "it"."""
    if found.privileged:
        yield "is privileged"
    yield from (f"is in the {name} namespace of the host" for name in found.host)
    yield from (f"has the capability {name}" for name in sorted(set(found.capabilities) - CAPABILITIES))
    yield from (f"may use devices by the rule '{rule}'" for rule in found.rules)
    yield from (f"has the device {node}" for node in sorted(set(found.nodes) - room.nodes))
    yield from (f"publishes ports on {address}" for address in sorted(set(found.published) - room.publish))
    yield from (f"runs with {option}" for option in found.opened)
    if found.cgroup_parent.removeprefix("/") != room.slice_:
        yield f"is in the cgroup '{found.cgroup_parent}', not in its owner's"
    yield from (f"mounts {source} of the host" for source in found.sources if not _within(source, room.folders))
    strange = (other for other in found.joined if other not in room.own)
    yield from (f"shares a namespace with container {other[:12]}, which is not its owner's" for other in strange)


def _within(source: str, folders: tuple[str, ...]) -> bool:
    return any(below(source, folder) for folder in folders)


def is_users_slice(cgroup_parent: str) -> bool:
    """Whether a container claims to be some user's by its cgroup."""
    return any(part.startswith("ds01-u") for part in cgroup_parent.split("/"))


def is_build_slice(cgroup_parent: str) -> bool:
    """Whether it is the cgroup of a user's builds: their steps are containers that the engine makes by itself."""
    return re.fullmatch(r"ds01-u\d+-build\.slice", cgroup_parent.rpartition("/")[2]) is not None


def beyond(found: Amounts, granted: Amounts) -> Amounts | None:
    """The amounts with what is more than was granted put back; None when nothing is."""
    right = Amounts(
        cpus=granted.cpus if _more(found.cpus, granted.cpus) else found.cpus,
        memory_bytes=granted.memory_bytes if _more(found.memory_bytes, granted.memory_bytes) else found.memory_bytes,
        swap_bytes=granted.swap_bytes if found.swap_bytes > granted.swap_bytes else found.swap_bytes,
        pids=granted.pids if _more(found.pids, granted.pids) else found.pids,
    )
    return None if right == found else right


def most(one: Amounts, other: Amounts) -> Amounts:
    """As much as either allows."""
    return Amounts(
        cpus=_larger(one.cpus, other.cpus), memory_bytes=int(_larger(one.memory_bytes, other.memory_bytes)),
        swap_bytes=max(one.swap_bytes, other.swap_bytes), pids=int(_larger(one.pids, other.pids)),
    )  # fmt: skip


def restarts_wrongly(restart: str, *, devices: bool) -> bool:
    """Whether the engine would start it again when it may not: with a device never, because whether it may have that is
    looked at when somebody starts it.
    """
    return restart not in (("", "no") if devices else ("", "no", "on-failure", "unless-stopped"))


def amounts_label(amounts: Amounts) -> str:
    """The amounts as label text."""
    return json.dumps([amounts.cpus, amounts.memory_bytes, amounts.swap_bytes, amounts.pids])


def read_amounts(text: str) -> Amounts | None:
    """The amounts a label tells of; None when it tells of none."""
    try:
        cpus, memory, swap, pids = json.loads(text)
        return Amounts(cpus=float(cpus), memory_bytes=int(memory), swap_bytes=int(swap), pids=int(pids))
    except (ValueError, TypeError):
        return None


def claimed(found: Confinement, names: Mapping[str, SlotId]) -> frozenset[SlotId]:
    """The slots a container has for itself: ``names`` are those of nodes and requests, each with its slot."""
    if ANY in found.gpus:
        return frozenset(names.values())
    return frozenset(names[name] for name in (*found.nodes, *found.gpus) if name in names)


def _more(found: float, granted: float) -> bool:
    return granted > 0 and (found <= 0 or found > granted * _ROUNDING)


def _larger(one: float, other: float) -> float:
    return 0 if one <= 0 or other <= 0 else max(one, other)


_ROUNDING = 1.001
"""CPUs come back from the engine in whole nanoseconds, or as a quota in microseconds."""
