"""Do the engine and the ledger know the same containers?"""

from __future__ import annotations

from datetime import timedelta

from ds01.domain.container import ContainerState
from ds01.domain.errors import Ds01Error
from ds01.domain.quantity import many
from ds01.services.checks import Check, Finding, ok, warning
from ds01.services.world import World

YOUNG = timedelta(minutes=1)
"""A container this young may be on its way into the ledger."""


async def _run(world: World) -> Finding:
    try:
        observed = await world.engine.list()
    except Ds01Error as error:
        return warning(f"Not looked at. {error.problem.message}", "See the check 'engine'.")
    known = {container.id: container for container in await world.ledger.read(lambda books: books.containers())}
    settled = world.clock.now() - YOUNG
    nobodys = sorted(o.stored_name for o in observed if o.id not in known and o.created_at < settled)
    there = {o.id for o in observed}
    running = [c for c in known.values() if c.state is ContainerState.RUNNING and c.created_at < settled]
    lost = sorted(container.name for container in running if container.id not in there)
    if lost:
        return warning(
            f"The engine does not have {many(len(lost), 'container')} of the ledger.",
            "ds01d puts this right within seconds; if it stays, look at its log: journalctl -u ds01d.",
            lost,
        )
    if nobodys:
        return warning(
            f"{many(len(nobodys), 'container')} in the engine not in the ledger, so nobody's: only admins see them.",
            "docker rm what is not needed, as root; containers of users are made through ds01 or the gateway.",
            nobodys,
        )
    return ok(f"Engine and ledger agree on {many(len(known), 'container')}.")


CHECK = Check(about="the engine and the ledger know the same containers", run=_run)
