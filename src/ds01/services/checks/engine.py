"""Does the Docker engine answer, and is it new enough for everything the gateway can allow?"""

from __future__ import annotations

from ds01.domain.engine_versions import OLDEST, gates
from ds01.domain.errors import Ds01Error
from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.world import World


async def _run(world: World) -> Finding:
    try:
        version = await world.engine.version()
    except Ds01Error as error:
        return failed(
            error.problem.message,
            "systemctl status docker; containers that run go on, nothing new starts until it is back.",
        )
    found = gates(version.engine, version.api)
    if found.too_old:
        return failed(
            f"Docker engine {version.engine} is older than {OLDEST}.",
            f"apt-get install docker-ce or docker.io, {OLDEST} or newer.",
        )
    if found.closed:
        return warning(
            f"Docker engine {version.engine} (API {version.api}) answers; because of its version DS01 refuses "
            f"{'; '.join(found.closed)}.",
            "apt-get install a newer docker-ce or docker.io; the gateway keeps the known holes closed meanwhile.",
        )
    return ok(f"Docker engine {version.engine} (API {version.api}) answers.")


CHECK = Check(about="the Docker engine answers and is new enough", run=_run)
