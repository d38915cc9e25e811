"""Users' containers do not reach each other: DS01's own rules in the firewall stand, whatever the engine's do."""

from __future__ import annotations

from ds01.domain.errors import Ds01Error
from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.fence import is_down, plan
from ds01.services.world import World

OPEN = (
    "apt-get install iptables (it has ip6tables), or switch IPv6 off. Containers get no IPv6 address and no raw packets"
    " all the same."
)
FIX = (
    "ds01d puts them up again within seconds; if they vanish again (ds01 admin fence show), find what reloads the"
    " firewall."
)


async def _run(world: World) -> Finding:
    try:
        wanted = await plan(world)
        missing = await world.fence.missing(wanted)
        unclosed = await world.fence.left_open()
    except Ds01Error as error:
        return warning(f"Whether users' networks are kept apart cannot be seen: {error.problem.message}", FIX)
    if missing and await is_down(world):
        return failed("The fence around users' networks was taken down by an admin.", "ds01 admin fence up")
    if missing:
        return failed(f"Users' networks are not kept apart: {missing}.", FIX)
    if unclosed:
        return warning(f"Users' networks are kept apart, but not in {unclosed}.", OPEN)
    return ok(f"Users' networks ({wanted.pool}) are kept apart from each other and from this server.")


CHECK = Check(about="users' networks are kept apart from each other and from the server", run=_run)
