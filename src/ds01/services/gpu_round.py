"""One look at the GPUs: what is there, what forgot how it was divided, who is on them without a lease."""

from __future__ import annotations

from functools import partial

from ds01.services import foreign, inventory, lost_gpus, mig
from ds01.services.settled import raise_first, settle_each
from ds01.services.world import World


async def look_at_gpus(world: World) -> None:
    """Look once: what is there first, then the rest of it, each whatever became of the others."""
    await inventory.refresh(world)
    steps = (mig.restore, lost_gpus.tell_holders, foreign.mark)
    raise_first(await settle_each(partial(step, world) for step in steps))
