"""Protections that are off because an admin wants it so: told to every admin whenever she looks."""

from __future__ import annotations

from ds01.services.caller import Caller
from ds01.services.fence import is_down
from ds01.services.glass import why_open
from ds01.services.world import World


async def alarms(world: World, caller: Caller) -> tuple[str, ...]:
    """In sentences; nothing for users."""
    if not caller.admin:
        return ()
    found = []
    docker = world.settings().docker
    if docker.observing(world.clock.now()):
        found.append(
            f"THE GATEWAY ONLY WATCHES until {docker.observe_until:%Y-%m-%d %H:%M} UTC: nothing is refused to users, "
            "who can be root of this server. ds01 admin door report"
        )
    if await is_down(world):
        found.append("The fence around users' networks is down. ds01 admin fence up")
    reason = await why_open(world, caller)
    if reason:
        found.append(f"Your way past the gateway is open ({reason}). ds01 admin door close")
    return tuple(found)
