"""A create through the Docker door that asks for all GPUs gets as many as one container of hers may have."""

from __future__ import annotations

import pytest

from ds01.domain.errors import Ds01Error
from ds01.services.door.create import grant
from ds01.wire.door import DoorCreate
from tests.server import ALICE, MINIMAL, SimServer


async def test_all_gpus_are_as_many_as_one_container_may_have(server: SimServer) -> None:
    ask = DoorCreate(uid=ALICE.uid, name="web", image=MINIMAL, image_id=MINIMAL, door="docker", gpus="all")
    granted = await grant(server.world, ask)
    (lease,) = await server.leases()
    assert len(lease.slots) == 2
    assert len(granted.devices) >= 2


async def test_gpus_with_less_memory_than_was_asked_for_are_not_leased(server: SimServer) -> None:
    ask = DoorCreate(
        uid=ALICE.uid, name="web", image=MINIMAL, image_id=MINIMAL, door="docker", gpus="1",
        gpu_memory_bytes=1000 * 1024**3,
    )  # fmt: skip
    with pytest.raises(Ds01Error, match="--mem 1000G"):
        await grant(server.world, ask)
    assert await server.leases() == ()
