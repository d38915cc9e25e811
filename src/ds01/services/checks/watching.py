"""Is the gateway in force, or does it only watch?"""

from __future__ import annotations

from ds01.services.checks import Check, Finding, failed, ok
from ds01.services.world import World


async def _run(world: World) -> Finding:
    docker = world.settings().docker
    if docker.observing(world.clock.now()):
        return failed(
            f"THE GATEWAY ONLY WATCHES until {docker.observe_until:%Y-%m-%d %H:%M} UTC: users may do on the engine "
            "whatever they like, as root of this server.",
            "ds01 admin door report says what it would refuse; take docker.observe_until out of the limits file.",
        )
    return ok("The gateway is in force: what it refuses does not happen.")


CHECK = Check(about="the gateway is in force", run=_run)
