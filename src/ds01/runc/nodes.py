"""The host's own files in a user namespace: device nodes, and those of ``/proc``.

runc cannot make a node there, so it mounts the host's node of the same path over it.

A leased GPU is number 0 inside whatever it is outside, so that node may be another one. What has another path here is
therefore mounted by the guard, found by its numbers.

What is in the container then is the host's own node, and root there is the uid that owns it: ``chmod 0 /dev/null``
would be everybody's. So all of them are mounted read-only. A device is read and written all the same; what nobody there
changes is whose it is and who may open it.

What ``/proc`` has besides processes is the server's as well, one file however often it is mounted: who may read it is
what anybody who owns it said last, in whichever container. So all of that is read-only, too.
"""

from __future__ import annotations

import os
import stat

from ds01.runc.grants import Grant
from ds01.runc.refusal import RefusedError

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Config = dict[str, Any]


USUAL = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
"""What runc puts into every container."""
BESIDE_GPUS = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset")
"""What NVIDIA's hooks put beside a GPU. Paths that are not there runc leaves out."""

PROC = "/proc"
DRIVER = "/proc/driver/nvidia"
"""Which GPUs the server has, and whose files they are."""


def nodes_inside(devices: list[Config], grant: Grant) -> list[str]:
    """The paths of all nodes of the host that there may be in a container."""
    hooks = [*BESIDE_GPUS, *sorted(_of_gpus(grant))] if grant.gpus else []
    return [*USUAL, *(device["path"] for device in devices), *hooks]


def _of_gpus(grant: Grant) -> Iterator[str]:
    """As NVIDIA's hooks call them: by their minor numbers."""
    for kind, _, minor in grant.devices:
        if kind == "c":
            yield f"/dev/nvidia{minor}"
            yield f"/dev/nvidia-caps/nvidia-cap{minor}"


def files_of_proc(kept: frozenset[str]) -> list[str]:
    """What the kernel has in ``/proc`` for all, without what is ``kept`` from changes already. Links are of the process
    that looks.
    """
    names = [name for name in os.listdir(PROC) if not name.isdecimal()]
    paths = [f"{PROC}/{name}" for name in sorted(names) if not os.path.islink(f"{PROC}/{name}")]
    return [path for path in paths if path not in kept]


def split(devices: list[Config]) -> tuple[list[Config], list[Config]]:
    """The devices runc finds by itself, and mounts for the others."""
    kept, mounts = [], []
    for device in devices:
        numbers = (device["type"], device["major"], device["minor"])
        if _numbers(device["path"]) == numbers:
            kept.append(device)
        else:
            mounts.append({"destination": device["path"], "type": "bind", "source": _node(*numbers),
                           "options": ["bind"]})  # fmt: skip
    return kept, mounts


def _node(kind: str, major: int, minor: int) -> str:
    """The host's node with these numbers."""
    folder = "/dev/char" if kind == "c" else "/dev/block"
    for path in ("/dev/null", os.path.realpath(f"{folder}/{major}:{minor}")):
        if _numbers(path) == (kind, major, minor):
            return path
    raise RefusedError(f"the device {kind} {major}:{minor}, which has no node in /dev")


def _numbers(path: str) -> tuple[str, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    if not (stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)):
        return None
    return "b" if stat.S_ISBLK(found.st_mode) else "c", os.major(found.st_rdev), os.minor(found.st_rdev)
