"""The ledger's slots follow what the driver shows, and each change is written once."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from ds01.config.current import CurrentLimits
from ds01.domain.errors import GPU_FULL, Ds01Error
from ds01.domain.events import EventType, Unknown
from ds01.domain.gpu import SlotId
from ds01.ports.devices import Devices
from ds01.services.inventory import refresh
from ds01.services.world import Paths, World
from ds01.sim.clock import SimClock
from ds01.sim.devices import SimDevices
from ds01.sim.directory import SimDirectory
from ds01.sim.engine import SimEngine
from ds01.sim.facts import SimFacts
from ds01.sim.fence import SimFence
from ds01.sim.host import SimHost
from ds01.sim.ledger import MemoryLedger
from ds01.sim.meters import SimMeters
from tests.values import ALICE, leased, limits


class Lab:
    """A server with two simulated GPUs."""

    def __init__(self, folder: Path, driver: Devices | None = None) -> None:
        clock = SimClock()
        self.devices = SimDevices(["a100-40gb"] * 2, run=folder / "run", clock=clock)
        self.ledger = MemoryLedger()
        self.world = World(
            engine=SimEngine(clock), devices=driver or self.devices, ledger=self.ledger,
            directory=SimDirectory([ALICE]), host=SimHost(), facts=SimFacts(), fence=SimFence(), clock=clock,
            meters=SimMeters(clock=clock),
            policy=CurrentLimits(folder / "limits.yaml"),
            paths=Paths(
                state=folder, run=folder / "run", limits=folder / "limits.yaml", gateway=folder / "docker.sock",
                engine=f"unix://{folder}/engine.sock",
            ),
        )  # fmt: skip

    async def labels(self) -> list[str]:
        return await self.ledger.read(lambda books: [slot.label for slot in books.slots()])

    async def told(self) -> list[EventType | Unknown]:
        return await self.ledger.read(lambda books: [event.type for event in books.events()])

    async def grant(self) -> str:
        lease = await self.ledger.write(lambda books: leased(books, ALICE, limits(gpus_max=Fraction(4))))
        return lease.slots[0]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


async def test_the_first_look_fills_the_inventory_and_the_next_writes_nothing(lab: Lab) -> None:
    assert await refresh(lab.world)
    assert await lab.labels() == ["0", "1"]
    assert not await refresh(lab.world)


async def test_a_leased_gpu_that_fell_off_is_told_once_and_given_to_nobody(lab: Lab) -> None:
    await refresh(lab.world)
    await lab.grant()
    lab.devices.lose(0)
    assert await refresh(lab.world)
    assert not await refresh(lab.world)
    assert (await lab.told()).count(EventType.SLOT_VANISHED) == 1
    assert await lab.labels() == ["0", "1"]
    await lab.grant()
    with pytest.raises(Ds01Error) as full:
        await lab.grant()
    assert full.value.kind is GPU_FULL
    lab.devices.find(0)
    assert await refresh(lab.world)
    assert await lab.ledger.read(lambda books: books.quarantined()) == {}


async def test_a_gpu_divided_anew_while_it_is_leased_gives_out_no_instance(lab: Lab) -> None:
    await refresh(lab.world)
    first = await lab.grant()
    index = [gpu.uuid for gpu in lab.devices.inventory()].index(SlotId(first))
    lab.devices.repartition(index, "a100-40gb: 3g.20gb 3g.20gb")
    await refresh(lab.world)
    assert await lab.grant() == lab.devices.inventory()[1 - index].uuid
    with pytest.raises(Ds01Error) as full:
        await lab.grant()
    assert full.value.kind is GPU_FULL


async def test_a_broken_slot_is_set_aside_until_it_is_mended(lab: Lab) -> None:
    await refresh(lab.world)
    lab.devices.break_slot("0", "Xid 79")
    lab.devices.break_slot("1", "Xid 79")
    await refresh(lab.world)
    assert (await lab.told()).count(EventType.SLOT_QUARANTINED) == 2
    with pytest.raises(Ds01Error):
        await lab.grant()
    lab.devices.mend("0")
    await refresh(lab.world)
    await lab.grant()
