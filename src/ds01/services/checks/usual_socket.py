"""Does plain ``docker`` find the gateway, and not the engine, where it looks by itself?

An upgrade of the engine's package can put its own socket back there.
"""

from __future__ import annotations

from ds01.services import reach
from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.world import World
from ds01.wire.door import GATEWAY_HEADER

USUAL = "/run/docker.sock"


async def _run(world: World) -> Finding:
    answer = await world.facts.headers(USUAL, "/_ping")
    if answer is None:
        return warning(
            f"Nothing answers on {USUAL}: plain docker finds the gateway only with DOCKER_HOST set.",
            f"export DOCKER_HOST=unix://{world.paths.gateway} for everybody, in /etc/profile.d/ds01.sh",
        )
    if GATEWAY_HEADER in answer:
        return ok(f"Plain docker finds the gateway on {USUAL}.")
    if await reach.open_to_all(world.facts, USUAL) or await reach.open_to_group(world.facts, USUAL):
        return failed(
            f"The engine itself answers on {USUAL}, and others than root may open it.",
            "ds01 install moves the engine's socket to where only root and the gateway get, again when it came back.",
        )
    return warning(
        f"The engine itself answers on {USUAL}, for root alone: plain docker of users finds nothing there.",
        f"ds01 install gives the gateway the place; or export DOCKER_HOST=unix://{world.paths.gateway} for everybody.",
    )


CHECK = Check(about="plain docker finds the gateway by itself", run=_run)
