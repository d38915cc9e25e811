"""Who opens the engine's socket is root on this server: that must be nobody but root and the gateway."""

from __future__ import annotations

from ds01.domain.quantity import many
from ds01.services import reach
from ds01.services.checks import Check, Finding, failed, ok
from ds01.services.world import World

FIX = "chmod 0660 and chgrp root (or the gateway's own group) on the socket, and take people out of its group."


async def _run(world: World) -> Finding:
    address = world.paths.engine
    if not address.startswith("unix://"):
        return failed(
            f"The engine is reached over {address}, not over a unix socket.", "systemctl edit docker: -H unix:// only."
        )
    path = address.removeprefix("unix://")
    if await reach.open_to_all(world.facts, path):
        return failed(f"Everybody may open the engine's socket {path}: that makes everybody root.", FIX)
    group = await reach.open_to_group(world.facts, path)
    people = await reach.not_admins(world, group) if group else ()
    if people:
        return failed(
            f"Users who are no admins may open the engine's socket {path} as members of '{group}' "
            f"({many(len(people), 'user')}): that makes them root.",
            FIX,
            people,
        )
    return ok(f"Only root{f' and the group {group}' if group else ''} may open the engine's socket.")


CHECK = Check(about="only root and the gateway open the engine's socket", run=_run)
