"""Is there space left for the ledger and for people's work?"""

from __future__ import annotations

from ds01.domain.quantity import show_size
from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.world import World

GIB = 1024**3
LEAST = GIB
LOW_SHARE = 0.05
FIX = "Find what grows: docker system df, du -xh /home"


async def _run(world: World) -> Finding:
    full, low, fine = [], [], []
    for path in dict.fromkeys((str(world.paths.state), "/home")):
        disk = await world.facts.disk(path)
        if disk is None:
            continue
        told = f"{path}: {show_size(disk.free_bytes)} of {show_size(disk.total_bytes)} free"
        if disk.free_bytes < LEAST:
            full.append(told)
        elif disk.free_bytes < disk.total_bytes * LOW_SHARE:
            low.append(told)
        else:
            fine.append(told)
    if full:
        return failed(f"The disk is nearly full ({', '.join(full)}).", f"Free some space. {FIX}")
    if low:
        return warning(f"The disk is filling up ({', '.join(low)}).", FIX)
    return ok(f"There is space ({', '.join(fine)}).")


CHECK = Check(about="there is space for the ledger and for people's work", run=_run)
