"""What is asked for through the Docker door is given up to what one container of hers may have."""

from __future__ import annotations

import pytest

from ds01.domain.assembly import resources
from ds01.domain.errors import Ds01Error
from ds01.services.door import building
from ds01.services.door.change import amounts
from ds01.services.door.create import grant
from ds01.wire.door import DoorAmounts, DoorBuild, DoorCreate
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


@pytest.mark.parametrize("asked", [None, 0, -1, -(1 << 62), 1 << 62])
async def test_what_is_no_amount_or_too_much_is_as_much_as_there_may_be(server: SimServer, asked: int | None) -> None:
    """To the engine -1 means no limit."""
    made, most = await server.launch(), resources((await server.caller()).limits, server.world.cpus)
    created = await grant(
        server.world,
        DoorCreate(
            uid=ALICE.uid, name="web", image=MINIMAL, image_id=MINIMAL, door="docker", cpus=asked,
            memory_bytes=asked, shm_bytes=asked, pids=asked,
        ),
    )  # fmt: skip
    altered = await amounts(
        server.world, DoorAmounts(uid=ALICE.uid, id=made.id, cpus=asked, memory_bytes=asked, pids=asked)
    )
    built = await building.grant(server.world, DoorBuild(uid=ALICE.uid, refs=(), memory_bytes=asked or 0))
    for given in (created, altered):
        assert (given.cpus, given.memory_bytes, given.pids) == (most.cpus, most.memory_bytes, most.pids)
    assert (created.shm_bytes, built.memory_bytes) == (most.shm_bytes, most.memory_bytes)


async def test_less_than_there_may_be_is_given_as_asked(server: SimServer) -> None:
    made = await server.launch()
    ask = DoorAmounts(uid=ALICE.uid, id=made.id, cpus=0.5, memory_bytes=1 << 20, pids=7)
    given = await amounts(server.world, ask)
    assert (given.cpus, given.memory_bytes, given.pids) == (0.5, 1 << 20, 7)
