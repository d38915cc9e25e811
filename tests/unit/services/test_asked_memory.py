"""What was asked for of a GPU holds for every start of a container, also where GPUs are divided differently."""

from __future__ import annotations

import pytest

from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.labels import Label
from ds01.domain.lease import LeaseId
from ds01.domain.seal import genuine, sealed
from ds01.services import lease as leases
from ds01.services.door.create import grant
from ds01.services.inventory import refresh
from ds01.services.recover import from_labels
from ds01.services.start import start
from ds01.services.steps import Steps
from ds01.services.stop import stop
from ds01.wire.door import DoorCreate
from tests.server import ALICE, BOB, MINIMAL, SimServer

GIB = 1024**3


@pytest.fixture
async def mixed(server: SimServer) -> SimServer:
    """GPUs in small parts, and one in two halves."""
    for number in range(3):
        server.devices.repartition(number, "a100-40gb: 1g.5gb 1g.5gb 1g.5gb 1g.5gb 1g.5gb 1g.5gb 1g.5gb")
    server.devices.repartition(3, "a100-40gb: 3g.20gb 3g.20gb")
    await refresh(server.world)
    return server


async def memory(server: SimServer) -> int:
    (lease,) = [lease for lease in await server.leases() if lease.name == "thesis"]
    slots = await server.world.ledger.read(lambda books: books.slots())
    return min(slot.memory_bytes for slot in slots if slot.id in lease.slots)


async def test_a_restart_asks_for_the_same_memory(mixed: SimServer) -> None:
    made = await mixed.launch(memory_bytes=20 * GIB)
    assert (made.gpu_ask, await memory(mixed)) == (GpuAsk(memory_bytes=20 * GIB), 20 * GIB)
    await stop(mixed.world, await mixed.caller(), "thesis")
    held = made.lease or LeaseId("")
    await mixed.books(lambda books: leases.release(books, held, "a test says so", mixed.clock.now()))
    await mixed.launch(BOB, "one", gpus="3g.20gb")
    again = await start(mixed.world, await mixed.caller(), "thesis", Steps(mixed.clock))
    assert (again.container.gpu_memory_bytes, await memory(mixed)) == (20 * GIB, 20 * GIB)


async def test_a_container_found_by_its_labels_asks_for_the_same_memory(mixed: SimServer) -> None:
    made = await mixed.launch(memory_bytes=20 * GIB)
    seen = await mixed.engine.inspect(made.id)
    assert seen is not None
    found = from_labels(seen)
    assert found is not None
    assert found.gpu_ask == made.gpu_ask


async def test_what_the_docker_door_asked_for_is_kept_with_the_container(mixed: SimServer) -> None:
    ask = DoorCreate(
        uid=ALICE.uid, name="web", image=MINIMAL, image_id=MINIMAL, door="devcontainer", gpus="3g.20gb",
        gpu_memory_bytes=10 * GIB,
    )  # fmt: skip
    granted = await grant(mixed.world, ask)
    (lease,) = await mixed.leases()
    slots = await mixed.world.ledger.read(lambda books: books.slots())
    assert [slot.profile for slot in slots if slot.id in lease.slots] == ["3g.20gb"]
    assert (granted.labels[Label.GPUS], granted.labels[Label.GPU_MEMORY]) == ("3g.20gb", str(10 * GIB))
    made = mixed.world.tickets.redeem(granted.ticket, mixed.clock.monotonic())
    assert made is not None
    assert made.container.gpu_ask == GpuAsk(profile="3g.20gb", memory_bytes=10 * GIB)


def test_the_seal_covers_the_memory_and_holds_for_containers_without() -> None:
    without = {Label.OWNER: "1001", Label.GPUS: "1"}
    old = sealed(without, "key")
    assert genuine(old, "key")
    assert sealed({**without, Label.GPU_MEMORY: ""}, "key")[Label.SEAL] == old[Label.SEAL]
    asked = sealed({**without, Label.GPU_MEMORY: "5"}, "key")
    assert genuine(asked, "key")
    assert not genuine({**asked, Label.GPU_MEMORY: "9"}, "key")
    assert not genuine({**asked, Label.GPU_MEMORY: ""}, "key")
