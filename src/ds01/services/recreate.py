"""A container made anew on its own writable layer, because its slots are not the ones it was created with.

The old container is renamed and kept until the new one runs: whatever fails, it gets its name back. The layer is kept
as an internal image that nobody sees and that goes with the container.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

from ds01.domain.assembly import lease_labels
from ds01.domain.container import Container, ContainerState
from ds01.domain.events import EventType
from ds01.domain.gpu import Slot
from ds01.domain.lease import Lease
from ds01.domain.names import stored_container
from ds01.domain.people import Uid, User
from ds01.domain.reconcile import WAITING
from ds01.ports.ledger import Books
from ds01.services.rollback import Rollback
from ds01.services.running import run
from ds01.services.steps import Steps
from ds01.services.strangers import discard
from ds01.services.tell import tell
from ds01.services.world import World

INTERNAL = "ds01-internal"
"""Repository of the images that hold writable layers."""


def internal_reference(container: Container) -> str:
    """The name of the image that holds this container's layer."""
    return f"{INTERNAL}/{container.uid}:{container.id[:32]}"


async def on_other_slots(
    world: World,
    user: User,
    container: Container,
    lease: Lease,
    slots: tuple[Slot, ...],
    steps: Steps,
    rollback: Rollback,
) -> Container:
    """The new container, running. The old one waits under another name until ``replace_in`` is written."""
    name = stored_container(container.name, container.uid)
    layer = internal_reference(container)
    async with steps.step("keep", "Keeping what is in the container"):
        await world.engine.commit(container.id, layer)
        rollback.add("layer", lambda: world.engine.remove_image(layer))
    async with steps.step("create", "Recreating it with other GPUs"):
        await world.engine.rename(container.id, name + WAITING)
        rollback.add("name", lambda: world.engine.rename(container.id, name))
        attached = await asyncio.to_thread(world.devices.attach, slots)
        made = await world.engine.recreate(
            container.id, name=name, image=layer, attachment=attached, labels=lease_labels(lease)
        )
        rollback.add("container", lambda: discard(world, made))
    new = replace(container, id=made, created_at=world.clock.now(), lease=lease.id)
    await run(world, user, new, slots, steps)
    return new


def replace_in(books: Books, old: Container, new: Container, now: datetime, actor: Uid | None) -> None:
    """The new container stands for the old one, in the transaction that records its start."""
    books.put_container(replace(old, state=ContainerState.REMOVED, removed_at=now, lease=None, pins="", mounts=()))
    books.put_container(new)
    tell(books, EventType.CONTAINER_CREATED, new, at=now, actor=actor, image=new.image_ref, door=new.door.value)
