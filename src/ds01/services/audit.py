"""Whether the record of events is as DS01 wrote it: all of it, for an admin who wants to rely on it.

The doctor looks at the latest events alone, so that it answers at once.
"""

from __future__ import annotations

from ds01.services.caller import Caller, require_admin
from ds01.services.world import World
from ds01.wire.admin import AuditView


async def verify(world: World, caller: Caller) -> AuditView:
    """Go through the whole chain. Raises Ds01Error."""
    require_admin(caller, "verify everybody's events")
    found = await world.ledger.audit()
    return AuditView(events=found.events, sound=found.broken is None, broken=found.broken, wrong=found.wrong)
