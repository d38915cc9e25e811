"""Is the runc that starts every container in the end free of known ways out?"""

from __future__ import annotations

from ds01.domain.engine_versions import runc_fixed
from ds01.domain.errors import Ds01Error
from ds01.services.checks import Check, Finding, ok, warning
from ds01.services.world import World


async def _run(world: World) -> Finding:
    try:
        version = (await world.engine.version()).runc or await world.facts.version_of("runc")
    except Ds01Error as error:
        return warning(f"Not looked at. {error.problem.message}", "See the check 'engine'.")
    if not version:
        return warning(
            "Which runc the engine starts is not known.", "runc --version, and see that it is 1.2.8 or newer."
        )
    if runc_fixed(version):
        return ok(f"runc {version} has no known way out of a container.")
    return warning(
        f"runc {version} is older than 1.2.8 and 1.3.3, which close known ways out of a container.",
        "apt-get install --only-upgrade runc; where your distribution mended the older one (Debian does), its changelog"
        " says so: look for CVE-2024-21626, CVE-2025-31133, CVE-2025-52565, CVE-2025-52881.",
    )


CHECK = Check(about="runc has no known way out of a container", run=_run)
