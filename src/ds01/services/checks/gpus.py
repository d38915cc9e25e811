"""Are there GPUs, and are they real?"""

from __future__ import annotations

import asyncio

from ds01.domain.gpu import slots_of
from ds01.services.checks import Check, Finding, ok, warning
from ds01.services.world import World


async def _run(world: World) -> Finding:
    devices = world.devices
    gpus = await asyncio.to_thread(devices.inventory)
    slots = [slot for gpu in gpus for slot in slots_of(gpu)]
    shown = ", ".join(f"{slot.label} {slot.model}" for slot in slots)
    if devices.simulated:
        return warning(
            f"THE GPUS ARE SIMULATED ({shown or 'none'}): nothing computes on them.",
            "Where nvidia-smi -L shows GPUs, set gpus.source: nvml in the limits file; before"
            " that it wants NVIDIA's driver.",
        )
    if not slots:
        fix = "nvidia-smi -L shows what the driver sees; a GPU in MIG mode needs instances."
        return warning("This server has no GPU that DS01 can lease.", fix)
    return ok(f"There are GPUs to lease: {shown}.")


CHECK = Check(about="there are GPUs, and they are real", run=_run)
