"""Which cgroups hold the containers?"""

from __future__ import annotations

from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.world import World


async def _run(world: World) -> Finding:
    version = await world.facts.cgroup_version()
    if version == 2:
        return ok("Control groups are version 2.")
    if version == 1:
        return warning(
            "Control groups are version 1: limits hold, but GPUs cannot be closed to programs outside containers.",
            "sudoedit /etc/default/grub, add systemd.unified_cgroup_hierarchy=1; update-grub, and boot when you can.",
        )
    return failed(
        "There are no control groups: no limit of memory or processes would hold.",
        "mount -t cgroup2 none /sys/fs/cgroup, or start what mounts it (systemd does).",
    )


CHECK = Check(about="control groups hold the containers", run=_run)
