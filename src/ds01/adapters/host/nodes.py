"""What is at a path of /dev: its real path, and the numbers and drivers of what is there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ds01.domain.devices import Node, NodeKind

_CHARACTER = "Character devices:"


def look(path: str, drivers: Path = Path("/proc/devices")) -> Node | None:
    """The node, links followed once; what became a link meanwhile is no device. None when nothing is there."""
    real = os.path.realpath(path)
    try:
        found = os.lstat(real)
    except OSError:
        return None
    kind = _kind(found.st_mode)
    if kind is not NodeKind.CHARACTER:
        return Node(path=real, kind=kind)
    major = os.major(found.st_rdev)
    names = _drivers(drivers.read_text(), major)
    return Node(path=real, kind=kind, major=major, minor=os.minor(found.st_rdev), drivers=names)


def _kind(mode: int) -> NodeKind:
    if stat.S_ISCHR(mode):
        return NodeKind.CHARACTER
    if stat.S_ISBLK(mode):
        return NodeKind.BLOCK
    return NodeKind.FOLDER if stat.S_ISDIR(mode) else NodeKind.OTHER


def _drivers(text: str, major: int) -> tuple[str, ...]:
    """The names of one major number among character devices."""
    lines = (line.split() for line in text.partition("\n\n")[0].removeprefix(_CHARACTER).splitlines())
    return tuple(words[1] for words in lines if len(words) == 2 and words[0] == str(major))
