"""Is NVIDIA's toolkit, whose hooks run on the host for every container with a GPU, new enough?"""

from __future__ import annotations

from ds01.domain.engine_versions import TOOLKIT_FIXED, numbers
from ds01.services.checks import Check, Finding, failed, ok
from ds01.services.holes import TOOLKIT
from ds01.services.world import World


async def _run(world: World) -> Finding:
    if world.devices.simulated:
        return ok("The GPUs are simulated, so no toolkit of NVIDIA's is used.")
    version = await world.facts.version_of(TOOLKIT)
    if not version:
        return failed(
            "NVIDIA's container toolkit is not installed: no container gets a GPU.",
            "apt-get install nvidia-container-toolkit, 1.17.8 or newer.",
        )
    if numbers(version) < TOOLKIT_FIXED:
        return failed(
            f"NVIDIA's container toolkit {version} lets an image run its own code as root on this server "
            "(CVE-2025-23266).",
            "apt-get install --only-upgrade nvidia-container-toolkit, to 1.17.8 or newer.",
        )
    return ok(f"NVIDIA's container toolkit {version} is new enough.")


CHECK = Check(about="NVIDIA's toolkit is new enough", run=_run)
