"""What all GPUs promise, simulated or NVIDIA's (the driver library being a stand-in that answers as told)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import pytest

from ds01.adapters.nvml.devices import NvmlDevices
from ds01.domain.errors import GPU_DIVIDE, Ds01Error
from ds01.domain.gpu import Slot, SlotId, slots_of
from ds01.ports.devices import Devices
from ds01.sim.clock import SimClock
from ds01.sim.devices import SimDevices
from ds01.sim.script import Load
from tests.nvml import DIVISIBLE, State, a100


class Server(Protocol):
    """Three A100: the second is divided into 3g.20gb and 2g.10gb."""

    devices: Devices

    def busy(self, index: int, utilisation: float, pid: int) -> None: ...
    def silence(self, index: int) -> None:
        """Whoever is on it, on the last of its instances when it has some, cannot be told."""
        ...

    def overheat(self, index: int) -> None: ...
    def lose(self, index: int) -> None: ...
    def find(self, index: int) -> None: ...


class SimServer:
    def __init__(self, run: Path) -> None:
        lines = ["a100-40gb", "a100-40gb: 3g.20gb 2g.10gb", "a100-40gb"]
        self._sim = SimDevices(lines, run=run, clock=SimClock())
        self.devices: Devices = self._sim

    def busy(self, index: int, utilisation: float, pid: int) -> None:
        self._sim.set_load(
            str(index), Load(utilisation=utilisation, memory_used_bytes=2**20, processes=((pid, 2**20),))
        )

    def silence(self, index: int) -> None:
        gpu = self._sim.inventory()[index]
        self._sim.set_load(slots_of(gpu)[-1].label, Load(processes=None))

    def overheat(self, index: int) -> None:
        self._sim.break_slot(str(index), "95 °C hot")

    def lose(self, index: int) -> None:
        self._sim.lose(index)

    def find(self, index: int) -> None:
        self._sim.find(index)


class NvmlServer:
    def __init__(self, folder: Path) -> None:
        self._state = State(folder / "nvml", {"driver": {"loaded": 1}})
        for index in range(3):
            self._state.set(f"gpu {index}", **a100(index, profile=DIVISIBLE))
        self._state.set("gpu 1", mig=1)
        for place, (slices, memory) in enumerate(((3, 20480), (2, 10240))):
            name = f"NVIDIA A100-SXM4-40GB MIG {slices}g.{memory // 1024}gb"
            self._state.set(
                f"mig 1 {place}", uuid=f"MIG-{place}", name=name, gi_slices=slices, ci_slices=slices, memory_mib=memory
            )
        self._state.use()
        self.devices: Devices = NvmlDevices(sysfs=folder / "sys")

    def busy(self, index: int, utilisation: float, pid: int) -> None:
        self._state.set(f"gpu {index}", utilisation=round(utilisation * 100), used_mib=1, process=[f"{pid} {2**20}"])

    def silence(self, index: int) -> None:
        self._state.set("mig 1 1" if index == 1 else f"gpu {index}", unknown="process")

    def overheat(self, index: int) -> None:
        self._state.set(f"gpu {index}", temperature=95)

    def lose(self, index: int) -> None:
        self._state.set(f"gpu {index}", lost=1)

    def find(self, index: int) -> None:
        self._state.set(f"gpu {index}", lost=0)


@pytest.fixture(params=["simulated", pytest.param("nvml", marks=pytest.mark.gcc)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    made: Server = SimServer(tmp_path) if request.param == "simulated" else NvmlServer(tmp_path)
    yield made
    made.devices.close()


def slots(server: Server) -> dict[str, Slot]:
    return {slot.label: slot for gpu in server.devices.inventory() for slot in slots_of(gpu)}


class TestDevices:
    def test_slots_are_whole_gpus_and_instances(self, server: Server) -> None:
        found = slots(server)
        assert {label: slot.gpueq for label, slot in found.items()} == {
            "0": Fraction(1), "1:3g.20gb": Fraction(3, 7), "1:2g.10gb": Fraction(2, 7), "2": Fraction(1)
        }  # fmt: skip
        assert {slot.memory_bytes // 1024**3 for slot in found.values()} == {40, 20, 10}
        assert found["0"].id.startswith("GPU-")
        assert found["1:2g.10gb"].id.startswith("MIG-")
        assert found["1:2g.10gb"].gpu.startswith("GPU-")

    def test_the_inventory_is_the_same_at_every_look(self, server: Server) -> None:
        assert server.devices.inventory() == server.devices.inventory()

    def test_every_slot_has_one_reading(self, server: Server) -> None:
        assert [s.slot for s in server.devices.samples()] == [slot.id for slot in slots(server).values()]

    def test_every_gpu_has_a_meter_and_no_part_of_one_has(self, server: Server) -> None:
        assert set(server.devices.energy()) == {slot.gpu for slot in slots(server).values()}

    def test_load_and_processes_are_those_of_the_slot(self, server: Server) -> None:
        server.busy(2, 0.75, 4711)
        own = slots(server)["2"].id
        sample = next(sample for sample in server.devices.samples() if sample.slot == own)
        assert (sample.utilisation, sample.memory_used_bytes) == (0.75, 2**20)
        assert [(p.slot, p.pid, p.memory_bytes) for p in server.devices.processes()] == [(own, 4711, 2**20)]

    def test_who_is_on_a_gpu_is_known_for_all_of_it_or_not_at_all(self, server: Server) -> None:
        gpus = [gpu.uuid for gpu in server.devices.inventory()]
        server.busy(2, 0.75, 4711)
        assert [[p.pid for p in server.devices.users(gpu) or ()] for gpu in gpus] == [[], [], [4711]]
        server.silence(2)
        server.silence(1)
        assert [server.devices.users(gpu) for gpu in gpus] == [(), None, None]
        server.lose(0)
        assert server.devices.users(gpus[0]) is None

    def test_a_broken_slot_says_why(self, server: Server) -> None:
        assert server.devices.faults() == {}
        server.overheat(0)
        faults = server.devices.faults()
        assert list(faults) == [slots(server)["0"].id]
        assert "95 °C hot" in next(iter(faults.values()))

    def test_a_lost_gpu_leaves_the_inventory_and_all_its_slots_say_why(self, server: Server) -> None:
        before = slots(server)
        server.lose(1)
        assert list(slots(server)) == ["0", "2"]
        assert server.devices.faults() == {
            before[label].id: "GPU 1 fell off the bus" for label in ("1:3g.20gb", "1:2g.10gb")
        }
        assert len(server.devices.samples()) == 2
        server.find(1)
        assert slots(server) == before
        assert server.devices.faults() == {}

    def test_g3_the_environment_is_the_lease_or_void(self, server: Server) -> None:
        leased = [slots(server)["2"], slots(server)["1:2g.10gb"]]
        environment = server.devices.attach(leased).environment
        assert environment["NVIDIA_VISIBLE_DEVICES"] == ",".join(slot.id for slot in leased)
        assert environment["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
        nothing = server.devices.attach([])
        assert nothing.environment == {"NVIDIA_VISIBLE_DEVICES": "void"}
        assert not nothing.devices
        assert not nothing.requests

    def test_a_card_says_into_what_it_can_be_divided(self, server: Server) -> None:
        whole = server.devices.inventory()[0].uuid
        offered = {each.name: (each.slices, each.width, each.starts) for each in server.devices.offered(whole)}
        assert offered["3g.20gb"] == (3, 4, (0, 4))
        assert offered["7g.40gb"] == (7, 8, (0,))
        assert server.devices.offered(SlotId("GPU-none")) == ()

    @pytest.mark.parametrize("wanted", [["3g.20gb", "2g.10gb", "2g.10gb"], ["1g.5gb"] * 7, ["7g.40gb"], []])
    def test_a_gpu_is_divided_and_made_whole_again(self, server: Server, wanted: list[str]) -> None:
        own = server.devices.inventory()[0].uuid
        server.devices.divide(own, wanted)
        first = server.devices.inventory()[0]
        assert first.mig
        assert sorted(part.profile for part in first.instances) == sorted(wanted)
        assert len({part.uuid for part in first.instances}) == len(wanted)
        server.devices.divide(own, ["2g.10gb"])
        assert [part.profile for part in server.devices.inventory()[0].instances] == ["2g.10gb"]
        server.devices.divide(own, None)
        assert [slot.whole for slot in slots_of(server.devices.inventory()[0])] == [True]

    @pytest.mark.parametrize(
        ("wanted", "said"),
        [
            (["4g.20gb", "4g.20gb"], "8 compute slices of 7"),
            (["3g.20gb", "3g.20gb", "1g.5gb"], "overlap"),
            (["9g.90gb"], "no MIG profile"),
        ],
    )
    def test_what_cannot_be_is_refused_and_nothing_changes(self, server: Server, wanted: list[str], said: str) -> None:
        before = server.devices.inventory()
        with pytest.raises(Ds01Error) as refused:
            server.devices.divide(before[1].uuid, wanted)
        assert refused.value.kind is GPU_DIVIDE
        assert said in refused.value.problem.reason
        assert server.devices.inventory() == before
