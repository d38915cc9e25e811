"""Does the gateway answer where users look for Docker, and is it the gateway?"""

from __future__ import annotations

from ds01.services.checks import Check, Finding, failed, ok
from ds01.services.world import World
from ds01.wire.door import GATEWAY_HEADER


async def _run(world: World) -> Finding:
    socket = str(world.paths.gateway)
    answer = await world.facts.headers(socket, "/_ping")
    if answer is None:
        return failed(
            f"The gateway does not answer on {socket}: docker, builds and attaching do not work.",
            "systemctl status ds01-gateway; it needs ds01d and the engine's socket.",
        )
    if GATEWAY_HEADER not in answer:
        return failed(
            f"Something that is not the gateway answers on {socket}.",
            "Find out what it is (ss -xlp); users must never meet the engine there.",
        )
    return ok(f"The gateway answers on {socket}.")


CHECK = Check(about="the gateway answers, and it is the gateway", run=_run)
