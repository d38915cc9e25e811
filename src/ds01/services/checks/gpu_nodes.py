"""Can a program outside containers use a GPU that is leased to somebody?"""

from __future__ import annotations

import asyncio

from ds01.domain.gpu import slots_of
from ds01.services.checks import Check, Finding, ok, warning
from ds01.services.world import World

FIX = (
    "With cgroup v2: systemctl set-property user-.slice DevicePolicy=closed and allow what sessions need, without "
    "char-nvidia*; or make the nodes root's alone (NVreg_DeviceFileMode=0660) and add nobody to their group."
)


async def _run(world: World) -> Finding:
    if world.devices.simulated:
        return ok("The GPUs are simulated, so nothing outside containers computes on them.")
    gpus = await asyncio.to_thread(world.devices.inventory)
    nodes = sorted({f"/dev/nvidia{slot.minor}" for gpu in gpus for slot in slots_of(gpu)})
    found = {node: await world.facts.opens(node) for node in nodes}
    open_ = [node for node, opens in found.items() if opens]
    if open_:
        return warning(
            f"Programs outside containers can open {', '.join(open_)}, past every lease: python in a shell, an engine "
            "of one's own.",
            FIX,
        )
    if None in found.values():
        return ok("Whether programs outside containers can open GPUs was not tried: nobody is logged in.")
    return ok("Programs outside containers cannot open GPUs.")


CHECK = Check(about="no program outside containers opens a GPU", run=_run)
