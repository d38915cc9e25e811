"""Where a container's processes are, and whether a process is one of them.

The whole path decides, not what is in it: below their own session people make cgroups of any name.
"""

from __future__ import annotations

from ds01.domain.container import ContainerId
from ds01.domain.people import Uid, slice_of


def homes(container: ContainerId, uid: Uid) -> tuple[str, str]:
    """The cgroup it has below the first one: as the engine makes it by itself, and by systemd."""
    own = slice_of(uid)
    return f"{own}/{container}", f"ds01.slice/{own}/docker-{container}.scope"


def is_in(cgroups: str, container: ContainerId, uid: Uid) -> bool:
    """Whether a process with these cgroups (``/proc/PID/cgroup``; one a line, by hierarchy in version 1) is in this
    user's container, in its cgroup or one below.
    """
    paths = [line.split(":", 2)[-1] for line in cgroups.split("\n")]
    return any(f"{path}/".startswith(f"/{home}/") for home in homes(container, uid) for path in paths)
