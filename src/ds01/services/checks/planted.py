"""Is anything here that somebody made past DS01, to last?"""

from __future__ import annotations

from ds01.domain.errors import Ds01Error
from ds01.domain.planted import counted
from ds01.services.checks import Check, Finding, ok, warning
from ds01.services.planted import planted
from ds01.services.world import World


async def _run(world: World) -> Finding:
    try:
        found = await planted(world)
    except Ds01Error as error:
        return warning(f"Not looked at. {error.problem.message}", "See the check 'engine'.")
    if not found:
        return ok("Nothing bears a name that only DS01 gives, and nothing beside DS01 is started by itself.")
    return warning(
        f"Made past DS01, and made to last: {counted(found)}. They are nobody's, but they stay.",
        "Look at each; as root docker is the engine: docker rm, rmi, volume rm or network rm. A container of yours that"
        " is to stay: name it in docker.outside_allowed of the limits file.",
        (f"{each.kind} {each.name} {each.why}: docker {each.removal}" for each in found),
    )


CHECK = Check(about="nothing was left behind past DS01", run=_run)
