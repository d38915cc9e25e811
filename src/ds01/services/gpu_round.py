"""One look at the GPUs: what is there, what forgot how it was divided, who is on them without a lease."""

from __future__ import annotations

from ds01.services import foreign, inventory, lost_gpus, mig
from ds01.services.world import World


async def look_at_gpus(world: World) -> None:
    """Look once."""
    await inventory.refresh(world)
    await mig.restore(world)
    await lost_gpus.tell_holders(world)
    await foreign.mark(world)
