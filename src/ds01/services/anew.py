"""Making a container anew from its image: the old one waits, stopped and under another name, until the new one runs.

Whatever fails, the old one gets its name back and runs again if it did. Only a new container with other GPUs lets the
old one's go first, because both together could be more than its owner may have.
"""

from __future__ import annotations

from ds01.domain.container import Container, ContainerState
from ds01.domain.names import stored_container
from ds01.domain.reconcile import WAITING
from ds01.services.caller import Caller
from ds01.services.create import Wanted, create
from ds01.services.rollback import Rollback
from ds01.services.start import begin
from ds01.services.steps import Steps
from ds01.services.stop import by_whom, stop_held
from ds01.services.strangers import leave_behind
from ds01.services.world import World


async def make_anew(world: World, caller: Caller, old: Container, wanted: Wanted, steps: Steps) -> Container:
    """The new container; the old one is gone. The caller holds the lock of their name."""
    name = stored_container(old.name, old.uid)
    async with Rollback() as rollback:
        stopped = await _stop(world, caller, old, steps, rollback)
        await world.engine.rename(old.id, name + WAITING)
        rollback.add("name", lambda: world.engine.rename(old.id, name))
        made = await create(world, caller, wanted, steps, instead_of=stopped)
        rollback.keep()
    await leave_behind(world, old.id)
    return made


async def _stop(world: World, caller: Caller, old: Container, steps: Steps, rollback: Rollback) -> Container:
    if old.state not in (ContainerState.RUNNING, ContainerState.PAUSED):
        return old
    reason, detail = by_whom(caller)
    async with steps.step("stop", "Stopping the old container"):
        stopped = await stop_held(world, old, reason, detail, caller)
    rollback.add("stop", lambda: begin(world, caller, stopped, Steps(world.clock)))
    return stopped
