"""Which device files of the server a container may be given: patterns an admin writes, and what no pattern gives.

A device is judged three times: the path that was asked for, the path it really has, and the numbers of what is there.
The first two are texts, judged by patterns in which a wildcard stays between two slashes. The numbers are looked at
because a node can have any name: what opens the disks, the memory or the consoles of the server is given to nobody, and
GPUs come with a lease.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

DEV = "/dev/"
NONE = "none"
"""How no device at all is written."""

A_GPU = "GPUs come with a lease: --gpus N"
_A_DISK = "it opens the server's disks"
_THE_KERNEL = "it opens the server's memory, or its kernel"
_A_CONSOLE = "it opens the server's consoles and terminals"
_AN_INPUT = "it types on the server's consoles"
_A_MAKER = "it makes devices of the server"
_A_WATCHDOG = "it restarts the server"
_ITS_OWN = "every container has its own"


def _numbered(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}{digit}*" for name in names for digit in range(10))


_GPUS = ("nvidia*", "dri*", "kfd")
_DISKS = (
    "block", "bsg", "btrfs-control", "char", "dax*", "disk", "dm-*", "loop*", "mapper", "md*", "mtd*", "nbd*", "nvme*",
    "pmem*", "raw", "sd*", "vd*", "xvd*", "zram*", *_numbered("ng", "sg"),
)  # fmt: skip
"""Also those that open a disk past its block device: SCSI's and NVMe's generic nodes."""
_KERNEL = ("cpu", "crash", "iommu", "kmem", "kmsg", "mem", "oldmem", "port", "snapshot", "uio*", "vfio")
"""``cpu`` has the processors' registers; ``uio`` and ``vfio`` have a device write into any memory."""
_CONSOLES = ("console", "ptmx", "pts", "tty", "vcs*", *_numbered("tty"))
"""Serial ports (``ttyS0``, ``ttyUSB0``, ``ttyACM0``) are none of them."""
_INPUTS = ("uhid", "uinput")
_OWN = (
    "core", "fd", "full", "hugepages", "initctl", "log", "mqueue", "null", "random", "shm", "stderr", "stdin", "stdout",
    "urandom", "zero",
)  # fmt: skip

_NEVER: dict[str, str] = {
    **dict.fromkeys(_GPUS, A_GPU), **dict.fromkeys(_DISKS, _A_DISK), **dict.fromkeys(_KERNEL, _THE_KERNEL),
    **dict.fromkeys(_CONSOLES, _A_CONSOLE), **dict.fromkeys(_OWN, _ITS_OWN), **dict.fromkeys(_INPUTS, _AN_INPUT),
    "cuse": _A_MAKER, "watchdog*": _A_WATCHDOG,
}  # fmt: skip
"""First names below /dev that nobody is given, with all that is below them, and why."""

_TAKEN = (*_GPUS, *_CONSOLES, *_OWN)
"""First names below the container's /dev that nothing else may have."""

_DRIVERS: dict[str, str] = {
    **dict.fromkeys(("drm", "kfd"), A_GPU),
    **dict.fromkeys(("bsg", "dax", "mtd", "nvme", "nvme-generic", "raw", "sg"), _A_DISK),
    **dict.fromkeys(("cpu/msr", "mem", "uio", "vfio"), _THE_KERNEL),
    **dict.fromkeys(("ptm", "pts"), _A_CONSOLE), "watchdog": _A_WATCHDOG,
}  # fmt: skip
"""Drivers of character devices by the names the kernel has for them, for those whose number is not fixed."""
_MAJORS = {1: _THE_KERNEL, 5: _A_CONSOLE, 7: _A_CONSOLE, 21: _A_DISK, 195: A_GPU, 202: _THE_KERNEL, 226: A_GPU}
_MISCELLANEOUS = 10
"""A major number whose minor ones have nothing in common."""
_MINORS = {
    130: _A_WATCHDOG, 196: _THE_KERNEL, 203: _A_MAKER, 223: _AN_INPUT, 231: _THE_KERNEL, 234: _A_DISK, 236: _A_DISK,
    237: _A_DISK, 239: _AN_INPUT,
}  # fmt: skip
"""watchdog, vfio, cuse, uinput, snapshot, btrfs-control, device-mapper, loop-control, uhid."""
_TTY_MAJOR, _TTYS = 4, 64
"""Terminals and serial ports share a major number; the consoles are the first of it."""

_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_WITH_WILDCARDS = re.compile(r"[A-Za-z0-9._*?-]+")
_LONGEST = 255


class NodeKind(StrEnum):
    """What a file of /dev is, in words that follow "it is"."""

    CHARACTER = "a character device"
    BLOCK = "a block device"
    FOLDER = "a folder"
    OTHER = "no device"


@dataclass(frozen=True, kw_only=True)
class Node:
    """What is at a path of the host: ``path`` is its real one. ``drivers`` are the kernel's names for a character
    device's major number.
    """

    path: str
    kind: NodeKind
    major: int = 0
    minor: int = 0
    drivers: tuple[str, ...] = ()


def read(text: str) -> tuple[str, ...]:
    """Patterns as an admin writes them, each once. Raises ValueError with what is wrong with one, as a clause."""
    patterns = () if text == NONE else tuple(dict.fromkeys(text.split()))
    for pattern in patterns:
        why = _malformed(pattern, _WITH_WILDCARDS) or _too_wide(pattern) or _stands_for_never(pattern)
        if why:
            raise ValueError(f"'{pattern[:_LONGEST]}' {why}")
    return patterns


def malformed(path: str) -> str:
    """Why this is no plain path below /dev, in words that follow it; empty when it is one."""
    return _malformed(path, _PLAIN)


def never(path: str) -> str:
    """Why nobody is given this well-formed path, as a clause; empty when there could be an admin who allows it."""
    return next((why for name, why in _NEVER.items() if _is(_first(path), name)), "")


def taken(path: str) -> bool:
    """Whether a well-formed path in a container is one where only DS01 and the engine put something."""
    return any(_is(_first(path), name) for name in _TAKEN)


def grantable(path: str) -> bool:
    """Whether there could be an admin who allows this path: it is no GPU's, and not given to nobody."""
    return not malformed(path) and not never(path)


def allowed(path: str, patterns: Sequence[str]) -> bool:
    """May this path be given by these patterns? ``*`` and ``?`` stand for what is between two slashes."""
    return grantable(path) and any(_matches(path, pattern) for pattern in patterns)


def never_this(node: Node) -> str:
    """Why nobody is given what is there, whatever its name, as a clause; empty when an admin may allow it."""
    if node.kind is not NodeKind.CHARACTER:
        return f"it is {node.kind}, and only character devices are given, one by one"
    if any(driver.startswith("nvidia") for driver in node.drivers):
        return A_GPU
    if node.major == _TTY_MAJOR:
        return _A_CONSOLE if node.minor < _TTYS else ""
    if node.major == _MISCELLANEOUS:
        return _MINORS.get(node.minor, "")
    return _MAJORS.get(node.major, "") or next((_DRIVERS[each] for each in node.drivers if each in _DRIVERS), "")


def _malformed(path: str, names: re.Pattern[str]) -> str:
    if not path.startswith(DEV):
        return f"does not begin with {DEV}"
    if len(path) > _LONGEST:
        return "is too long"
    parts = path.removeprefix(DEV).split("/")
    if "" in parts:
        return "has a slash too many"
    if "." in parts or ".." in parts:
        return "has . or .. for a name"
    if not all(names.fullmatch(part) for part in parts):
        return f"has more in it than letters, digits, . _ -{' * and ?' if names is _WITH_WILDCARDS else ''}"
    return ""


def _too_wide(pattern: str) -> str:
    """A wildcard at once would give what nobody thought of."""
    before = re.split(r"[*?]", _first(pattern))[0]
    if before == _first(pattern) or re.search(r"[A-Za-z]", before):
        return ""
    return f"begins with a wildcard: the first name after {DEV} begins with letters"


def _stands_for_never(pattern: str) -> str:
    name = next((name for name in _NEVER if _meet(_first(pattern), name)), "")
    if not name:
        return ""
    there = "is" if _PLAIN.fullmatch(_first(pattern)) else f"stands for {DEV}{name} as well, which is"
    return f"{there} given to nobody: {_NEVER[name]}"


def _first(path: str) -> str:
    return path.removeprefix(DEV).split("/")[0]


def _is(first: str, name: str) -> bool:
    return first.startswith(name[:-1]) if name.endswith("*") else first == name


def _matches(path: str, pattern: str) -> bool:
    names, wanted = path.split("/"), pattern.split("/")
    return len(names) == len(wanted) and all(map(_meet, names, wanted))


def _meet(one: str, other: str) -> bool:
    """Whether there is a name that both patterns stand for. A name without wildcards stands for itself."""
    reached = {(0, 0)}
    for at in range(len(one) + 1):
        for there in range(len(other) + 1):
            if (at, there) in reached:
                reached.update(_onwards(one, at, other, there))
    return (len(one), len(other)) in reached


def _onwards(one: str, at: int, other: str, there: int) -> Iterator[tuple[int, int]]:
    """How much of both may be used up next: a ``*`` is left behind, or takes one more character of the other."""
    left, right = one[at : at + 1], other[there : there + 1]
    if left == "*" or (left and right == "*"):
        yield at + 1, there
    if right == "*" or (right and left == "*"):
        yield at, there + 1
    if left and right and (left == right or "?" in (left, right)):
        yield at + 1, there + 1
