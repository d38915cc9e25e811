"""Are the kernel's switches set that keep users of one server from each other's files and processes, and is there
enough of what it counts for each of them?
"""

from __future__ import annotations

from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.world import World

NEEDED = {"fs.protected_hardlinks": 1}
"""Without this somebody else's file can be linked into a folder of one's own, and mounted with it."""

WANTED = {
    "fs.protected_symlinks": 1,
    "fs.protected_regular": 1,
    "fs.protected_fifos": 1,
    "kernel.yama.ptrace_scope": 1,
    "kernel.dmesg_restrict": 1,
    "kernel.unprivileged_bpf_disabled": 1,
    "fs.inotify.max_user_instances": 1024,
}
"""A person's containers share the watchers of files that one user may have: an editor takes a dozen, and the kernel's
128 are soon gone.
"""


async def _run(world: World) -> Finding:
    bad = [name for name, least in NEEDED.items() if not await _at_least(world, name, least)]
    weak = [name for name, least in WANTED.items() if not await _at_least(world, name, least)]
    lines = ", ".join(f"{name}={(NEEDED | WANTED)[name]}" for name in (*bad, *weak))
    fix = f"Put into /etc/sysctl.d/60-ds01.conf and run 'sysctl --system': {lines}"
    if bad:
        return failed(f"Off: {', '.join(bad)}. Users can mount each other's files through links.", fix)
    if weak:
        return warning(f"Off, too low or not in this kernel: {', '.join(weak)}.", fix)
    return ok("The kernel protects links, fifos, processes and its own log.")


async def _at_least(world: World, name: str, least: int) -> bool:
    value = await world.facts.sysctl(name)
    return value is not None and value.isdecimal() and int(value) >= least


CHECK = Check(about="the kernel's protections between users are on", run=_run)
