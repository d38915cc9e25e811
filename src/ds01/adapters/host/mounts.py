"""What is mounted where, from ``/proc/self/mountinfo``; and whether something setuid could be planted through a bind.

A folder is *safe* when no mount that shows it, or anything in it, honours setuid files or device nodes: a file system
mounted ``nosuid,nodev`` at one place and without that at another is not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ds01.domain.binds import below

VIRTUAL = frozenset({
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
    "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "rpc_pipefs", "securityfs", "sysfs", "tracefs",
})  # fmt: skip
"""File systems that are windows into the kernel and hold nobody's files."""


@dataclass(frozen=True, kw_only=True)
class Mounted:
    """One mount. ``root`` is the folder of its file system that it shows; ``device`` says which file system."""

    id: int
    device: str
    root: str
    point: str
    options: frozenset[str]
    kind: str
    super_options: frozenset[str]

    @property
    def harmless(self) -> bool:
        """Whether setuid files and device nodes mean nothing on it."""
        return {"nosuid", "nodev"} <= self.options

    @property
    def of_a_user(self) -> bool:
        """Whether an ordinary user mounted it (FUSE) and so decides what it says about itself."""
        users = [option for option in self.super_options if option.startswith("user_id=")]
        return self.kind.startswith("fuse") and users != ["user_id=0"]


def mounted() -> tuple[Mounted, ...]:
    """All mounts this process sees, in order: of two at one place the later is on top."""
    return table_of(_table())


def table_of(content: bytes) -> tuple[Mounted, ...]:
    """Every line of it."""
    return tuple(read(line) for line in _lines(content))


def mount_of(fd: int, mounts: Sequence[Mounted]) -> Mounted | None:
    """The mount an open descriptor is on."""
    match = re.search(r"^mnt_id:\s*(\d+)", Path(f"/proc/self/fdinfo/{fd}").read_text(), re.MULTILINE)
    return next((mount for mount in mounts if match is not None and mount.id == int(match[1])), None)


def safe(real: str, own: Mounted, mounts: Sequence[Mounted]) -> bool:
    """Whether every mount that shows ``real`` (which is on ``own``) or a part of it is ``nosuid,nodev``."""
    inside = _join(own.root, _relative(real, own.point))
    harmful = [mount for mount in mounts if mount.device == own.device and not mount.harmless]
    return own.harmless and not any(_shows(mount, inside, mounts) for mount in harmful)


def is_mounted(point: str) -> bool:
    """Whether something is mounted exactly there; reads only that much of a table of thousands of lines."""
    return any(_plain(line.split(" ", 5)[4]) == point for line in _lines(_table()))


def _shows(mount: Mounted, inside: str, mounts: Sequence[Mounted]) -> bool:
    """Whether this mount shows the folder ``inside`` its file system, or a part of it, and is not covered there."""
    if below(mount.root, inside) and mount.root != inside:
        return True
    if not below(inside, mount.root):
        return False
    return _visible(_join(mount.point, _relative(inside, mount.root)), mounts) == mount


def _visible(path: str, mounts: Sequence[Mounted]) -> Mounted | None:
    """The mount a path is on: the deepest, of equals the latest."""
    over = [mount for mount in mounts if below(path, mount.point)]
    return max(enumerate(over), key=lambda item: (len(item[1].point), item[0]))[1] if over else None


def _relative(path: str, folder: str) -> str:
    return path[len(folder.rstrip("/")) :].lstrip("/")


def _join(folder: str, rest: str) -> str:
    return f"{folder.rstrip('/')}/{rest}".rstrip("/") or "/"


def read(line: str) -> Mounted:
    """One line of the table."""
    before, _, after = line.partition(" - ")
    fields, kind = before.split(" "), after.split(" ")
    return Mounted(
        id=int(fields[0]),
        device=fields[2],
        root=_plain(fields[3]),
        point=_plain(fields[4]),
        options=frozenset(fields[5].split(",")),
        kind=kind[0],
        super_options=frozenset(kind[-1].split(",")),
    )


def _table() -> bytes:
    return Path("/proc/self/mountinfo").read_bytes()


def _lines(content: bytes) -> list[str]:
    """The kernel escapes a newline and a space in what people named; of other signs that end a line it knows none."""
    return os.fsdecode(content).removesuffix("\n").split("\n")


def _plain(text: str) -> str:
    """Undo the kernel's ``\\040`` for a space and its like."""
    if "\\" not in text:
        return text
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
