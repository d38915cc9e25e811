"""A create through the Docker door that asks for all GPUs gets as many as one container of hers may have."""

from __future__ import annotations

from ds01.services.door.create import grant
from ds01.wire.door import DoorCreate
from tests.server import ALICE, MINIMAL, SimServer


async def test_all_gpus_are_as_many_as_one_container_may_have(server: SimServer) -> None:
    ask = DoorCreate(uid=ALICE.uid, name="web", image=MINIMAL, image_id=MINIMAL, door="docker", gpus="all")
    granted = await grant(server.world, ask)
    (lease,) = await server.leases()
    assert len(lease.slots) == 2
    assert len(granted.devices) >= 2
