"""Users' containers, and steps of builds, do not reach each other: DS01's own rules in the firewall stand."""

from __future__ import annotations

from ds01.domain.errors import Ds01Error
from ds01.domain.fence import BridgeRule
from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.fence import is_down, plan
from ds01.services.world import World

UNCLOSED = (
    "For IPv6: apt-get install iptables (it has ip6tables), or switch it off; containers get no IPv6 address, no raw "
    "packets all the same. For a bridge: modprobe br_netfilter, and that name in /etc/modules-load.d/ds01.conf."
)
OPEN = "If no container of yours needs it any more: sudoedit /etc/ds01/limits.yaml, docker.default_bridge: closed."
FIX = (
    "ds01d puts them up again within seconds; if they vanish again (ds01 admin fence show), find what reloads the"
    " firewall."
)


async def _run(world: World) -> Finding:
    try:
        wanted = await plan(world)
        missing = await world.fence.missing(wanted)
        unclosed = await world.fence.left_open(wanted)
    except Ds01Error as error:
        return warning(f"Whether users' networks are kept apart cannot be seen: {error.problem.message}", FIX)
    if missing and await is_down(world):
        return failed("The fence around users' networks was taken down by an admin.", "ds01 admin fence up")
    if missing:
        return failed(f"Users' networks are not kept apart: {missing}.", FIX)
    if unclosed:
        return warning(f"Users' networks are kept apart, but this stays open: {unclosed}.", UNCLOSED)
    if world.settings().docker.default_bridge is BridgeRule.OPEN:
        return warning("Steps of BuildKit's builds reach each other and services of this server.", OPEN)
    return ok(f"Users' networks ({wanted.pool}) are kept apart from each other and from this server.")


CHECK = Check(about="users' networks are kept apart from each other and from the server", run=_run)
