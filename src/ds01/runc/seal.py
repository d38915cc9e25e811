"""No device nodes in what a container of its owner's brings along: its image, its volumes, its folders.

An engine unpacks an image as root and makes what is in it, nodes too, and copies them into new volumes. In the
container they are of no use, because its device cgroup does not know them. Its owner's shell is in another cgroup, and
reaches them through ``/proc/PID/root``: a node of the server's disk that anybody may open would be the server. So all
of that is mounted ``nodev``. One with root needs none of it, because no shell reaches into it.
"""

from __future__ import annotations

import os

from ds01.runc.kernel import own_mounts, without_nodes

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from typing import Any

    Config = dict[str, Any]

_NODES = "/dev/"
"""What NVIDIA's specifications mount from here beside a GPU are nodes themselves, and checked as such."""
_KEPT = ((os.ST_RDONLY, "ro"), (os.ST_NOEXEC, "noexec"))


def sealed(config: Config) -> Config:
    """The configuration of such a container. Its root file system is mounted anew for this process, which becomes runc,
    and all it starts. Raises OSError.
    """
    own_mounts()
    without_nodes(config["root"]["path"])
    return {**config, "mounts": [_sealed(mount) for mount in config.get("mounts") or ()]}


def _sealed(mount: Config) -> Config:
    options = mount.get("options") or []
    binds = mount.get("type", "bind") == "bind" or "bind" in options or "rbind" in options
    if not binds or mount["source"].startswith(_NODES):
        return mount
    return {**mount, "options": [*options, "nosuid", "nodev", *_kept(mount["source"])]}


def _kept(source: str) -> list[str]:
    """What holds where it is now. runc mounts a source with options of its own a second time, and with these alone."""
    found = os.statvfs(source).f_flag
    return [option for flag, option in _KEPT if found & flag]
