"""The NVML adapter against the stand-in library: whole GPUs, MIG, everything that breaks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from ds01.adapters.nvml.devices import NvmlDevices
from ds01.domain.gpu import SlotId, slots_of
from tests.nvml import State, a100, library

pytestmark = pytest.mark.gcc


def gpu(index: int) -> SlotId:
    return SlotId(f"GPU-00000000-0000-4000-8000-{index:012d}")


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "nvml", {"driver": {"loaded": 1}})
    for index in range(2):
        made.set(f"gpu {index}", **a100(index))
    made.use()
    return made


@pytest.fixture
def devices(state: State, tmp_path: Path) -> Iterator[NvmlDevices]:
    made = NvmlDevices(sysfs=tmp_path / "sys")
    yield made
    state.set("driver", loaded=1)
    made.close()


def divide(state: State, index: int) -> None:
    """GPU ``index`` as 3g.20gb and 2g.10gb; instance 1 was destroyed and left a hole."""
    state.set(f"gpu {index}", mig=1)
    for place, slices, memory in ((0, 3, 19968), (2, 2, 9856)):
        state.set(
            f"mig {index} {place}",
            uuid=f"MIG-{index}-{place}",
            name=f"NVIDIA A100-SXM4-40GB MIG {slices}g.{round(memory / 1000)}gb",
            gi_slices=slices,
            ci_slices=slices,
            memory_mib=memory,
        )


class TestInventory:
    def test_a_whole_gpu_as_the_driver_tells_it(self, devices: NvmlDevices) -> None:
        first = devices.inventory()[0]
        assert (first.uuid, first.index, first.model) == (gpu(0), 0, "NVIDIA A100-SXM4-40GB")
        assert (first.memory_bytes, first.minor, first.pci_bus) == (40960 * 1024**2, 0, "00000000:3B:00.0")
        assert (first.mig, first.slices, first.numa_node) == (False, 7, -1)
        assert not devices.simulated

    def test_the_minor_number_is_the_drivers_not_the_index(self, state: State, devices: NvmlDevices) -> None:
        state.set("gpu 0", minor=5)
        assert devices.inventory()[0].minor == 5

    def test_mig_instances_take_the_place_of_the_gpu(self, state: State, devices: NvmlDevices) -> None:
        divide(state, 1)
        slots = [slot for card in devices.inventory() for slot in slots_of(card)]
        assert [slot.label for slot in slots] == ["0", "1:3g.20gb", "1:2g.10gb"]
        assert [slot.gpueq for slot in slots] == [1, Fraction(3, 7), Fraction(2, 7)]
        assert slots[1].memory_bytes == 19968 * 1024**2

    def test_slices_come_from_the_driver(self, state: State, devices: NvmlDevices) -> None:
        state.set("gpu 0", profile=["0 1", "1 2", "2 4"])
        divide(state, 0)
        assert slots_of(devices.inventory()[0])[1].gpueq == Fraction(1, 2)

    def test_an_old_driver_is_asked_the_old_way(self, state: State, devices: NvmlDevices) -> None:
        state.set("driver", old=1)
        divide(state, 0)
        state.set("mig 0 0", name="NVIDIA A100-SXM4-40GB")
        card = devices.inventory()[0]
        assert (card.slices, card.instances[0].profile) == (7, "3g.20gb")

    def test_a_shared_instance_counts_its_own_slices(self, state: State, devices: NvmlDevices) -> None:
        divide(state, 0)
        state.set("mig 0 0", ci_slices=1, name="NVIDIA A100-SXM4-40GB")
        assert devices.inventory()[0].instances[0].profile == "1c.3g.20gb"
        assert slots_of(devices.inventory()[0])[0].gpueq == Fraction(1, 7)

    def test_a_gpu_in_mig_mode_without_instances_offers_nothing(self, state: State, devices: NvmlDevices) -> None:
        state.set("gpu 0", mig=1)
        assert slots_of(devices.inventory()[0]) == ()

    def test_mig_without_known_slices_offers_nothing(self, state: State, devices: NvmlDevices) -> None:
        divide(state, 0)
        state.set("gpu 0", profile=None)
        assert slots_of(devices.inventory()[0]) == ()

    def test_a_gpu_without_mig_has_no_slices(self, state: State, devices: NvmlDevices) -> None:
        state.set("gpu 0", mig=None, max_mig=None, profile=None, name="Tesla T4")
        assert (devices.inventory()[0].slices, devices.inventory()[0].mig) == (0, False)

    def test_numa_nodes_come_from_the_kernel(self, devices: NvmlDevices, tmp_path: Path) -> None:
        node = tmp_path / "sys/bus/pci/devices/0000:3b:00.0"
        node.mkdir(parents=True)
        (node / "numa_node").write_text("1\n")
        assert [card.numa_node for card in devices.inventory()] == [1, -1]

    def test_nvlink_neighbours_know_each_other(self, state: State, devices: NvmlDevices) -> None:
        state.set("gpu 0", nvlink=1)
        state.set("gpu 1", nvlink=0)
        assert [card.links for card in devices.inventory()] == [frozenset({gpu(1)}), frozenset({gpu(0)})]


class TestReadings:
    def test_a_whole_gpu_has_all_its_meters(self, state: State, devices: NvmlDevices) -> None:
        state.set("gpu 0", utilisation=37, used_mib=512, energy_mj=9_000_500)
        first = devices.samples()[0]
        assert (first.slot, first.utilisation, first.memory_used_bytes) == (gpu(0), 0.37, 512 * 1024**2)
        assert first.temperature_c == 40
        assert devices.energy()[gpu(0)] == 9000.5

    def test_an_instance_without_counters_is_unknown_not_idle(self, state: State, devices: NvmlDevices) -> None:
        divide(state, 0)
        state.set("mig 0 0", process=[f"{os.getpid()} 1"])
        part = devices.samples()[0]
        assert (part.slot, part.utilisation) == ("MIG-0-0", None)
        assert part.temperature_c == 40

    def test_an_instance_without_counters_and_without_processes_is_at_rest(
        self, state: State, devices: NvmlDevices
    ) -> None:
        divide(state, 0)
        assert devices.samples()[0].utilisation == 0.0

    @pytest.mark.parametrize("question", ["process", "graphics"])
    def test_an_instance_whose_processes_cannot_be_read_is_unknown_not_idle(
        self, state: State, devices: NvmlDevices, question: str
    ) -> None:
        divide(state, 0)
        state.set("mig 0 0", unknown=question)
        assert [part.utilisation for part in devices.samples()[:2]] == [None, 0.0]
        assert devices.processes() == ()
        state.set("mig 0 0", unknown=None)
        assert devices.samples()[0].utilisation == 0.0

    def test_an_instance_that_is_never_asked_to_draw_rests_all_the_same(
        self, state: State, devices: NvmlDevices
    ) -> None:
        divide(state, 0)
        state.set("mig 0 0", lacks="graphics")
        state.set("mig 0 2", lacks="process")
        assert [part.utilisation for part in devices.samples()[:2]] == [0.0, None]

    def test_what_the_driver_cannot_tell_is_none(self, state: State, devices: NvmlDevices) -> None:
        state.set("gpu 0", utilisation=None, temperature=None, energy_mj=None)
        first = devices.samples()[0]
        assert (first.utilisation, first.temperature_c) == (None, None)
        assert gpu(0) not in devices.energy()

    def test_processes_are_counted_once_per_slot(self, state: State, devices: NvmlDevices) -> None:
        state.set("gpu 0", process=["4711 1000", "4712 5"], graphics=["4711 2000"])
        found = {(p.slot, p.pid, p.memory_bytes) for p in devices.processes()}
        assert found == {(gpu(0), 4711, 2000), (gpu(0), 4712, 5)}

    def test_a_process_with_unknown_memory_is_still_a_process(self, state: State, devices: NvmlDevices) -> None:
        state.set("gpu 0", process=["4711"])
        assert [(p.pid, p.memory_bytes) for p in devices.processes()] == [(4711, 0)]

    def test_processes_of_an_instance_belong_to_it(self, state: State, devices: NvmlDevices) -> None:
        divide(state, 0)
        state.set("mig 0 2", process=["9 1"])
        assert [(p.slot, p.pid) for p in devices.processes()] == [("MIG-0-2", 9)]


class TestFaults:
    def test_healthy_gpus_have_none(self, devices: NvmlDevices) -> None:
        assert devices.faults() == {}

    def test_an_xid_is_remembered(self, state: State, devices: NvmlDevices) -> None:
        devices.faults()
        state.set("gpu 1", event=["1 8 79"])
        assert devices.faults() == {gpu(1): "Xid 79"}
        state.set("gpu 1", event=None)
        assert devices.faults() == {gpu(1): "Xid 79"}

    def test_a_users_program_that_crashed_breaks_no_gpu(self, state: State, devices: NvmlDevices) -> None:
        devices.faults()
        state.set("gpu 1", event=["1 8 31", "2 8 43", "3 8 63"])
        assert devices.faults() == {}

    @pytest.mark.parametrize(
        ("values", "says"),
        [
            ({"ecc": 3}, "3 memory errors"),
            ({"rows": "0 1 1 0"}, "a reset of the GPU replaces them"),
            ({"rows": "0 1 0 1"}, "could not be replaced"),
            ({"pages_pending": 1}, "a reset of the GPU retires them"),
            ({"temperature": 95}, "95 °C hot"),
            ({"event": ["1 2 0"]}, "ECC could not correct"),
        ],
    )
    def test_broken_memory_and_heat(
        self, state: State, devices: NvmlDevices, values: dict[str, object], says: str
    ) -> None:
        state.set("gpu 0", **values)
        assert says in devices.faults()[gpu(0)]

    def test_a_broken_gpu_takes_all_its_instances_with_it(self, state: State, devices: NvmlDevices) -> None:
        divide(state, 0)
        state.set("gpu 0", ecc=1)
        assert set(devices.faults()) == {"MIG-0-0", "MIG-0-2"}

    def test_a_gpu_that_fell_off_is_not_in_the_inventory_but_in_the_faults(
        self, state: State, devices: NvmlDevices
    ) -> None:
        devices.inventory()
        state.set("gpu 0", lost=1)
        assert [card.uuid for card in devices.inventory()] == [gpu(1)]
        assert devices.faults() == {gpu(0): "GPU 0 fell off the bus"}
        assert [sample.slot for sample in devices.samples()] == [gpu(1)]

    def test_it_is_back_after_a_reset(self, state: State, devices: NvmlDevices) -> None:
        devices.inventory()
        state.set("gpu 0", lost=1)
        devices.faults()
        state.set("gpu 0", lost=0)
        assert devices.faults() == {}
        assert len(devices.inventory()) == 2


class TestDriver:
    def test_a_driver_that_is_not_loaded_shows_no_gpus(self, state: State, devices: NvmlDevices) -> None:
        state.set("driver", loaded=0)
        assert devices.inventory() == ()
        assert devices.samples() == ()
        assert devices.faults() == {}
        assert "Driver Not Loaded" in devices.problem

    def test_a_driver_that_is_loaded_anew_is_found_again(self, state: State, devices: NvmlDevices) -> None:
        devices.faults()
        state.set("driver", loaded=0)
        assert set(devices.faults().values()) == {"GPU 0 fell off the bus", "GPU 1 fell off the bus"}
        state.set("driver", loaded=1)
        assert (devices.faults(), len(devices.inventory()), devices.problem) == ({}, 2, "")

    def test_a_reload_forgets_the_xids_of_before(self, state: State, devices: NvmlDevices) -> None:
        devices.faults()
        state.set("gpu 0", event=["1 8 79"])
        devices.faults()
        state.set("driver", loaded=0)
        devices.faults()
        state.set("driver", loaded=1)
        assert devices.faults() == {}


CHOICE = """
import sys
from pathlib import Path
from ds01.daemon.gpus import devices
from ds01.domain.errors import Ds01Error
from ds01.domain.settings import GpuSettings
from ds01.sim.clock import SimClock

source, attach, folder, sysfs = sys.argv[1:]
try:
    found = devices(GpuSettings(source=source, attach=attach), run=Path(folder), clock=SimClock(),
                    sysfs=Path(sysfs))
    print(type(found).__name__, len(found.inventory()), found.simulated)
except Ds01Error as error:
    print(error.problem.kind.code, error.problem.message)
print("pynvml" in sys.modules)
"""


class TestChoice:
    """In a process of its own, as ds01d is: with the stand-in as the machine's driver, or without any."""

    @pytest.fixture
    def sysfs(self, tmp_path: Path) -> Path:
        return tmp_path / "sys"

    def choose(self, tmp_path: Path, source: str, attach: str = "auto", *, driver: State | None = None) -> list[str]:
        environment = {"PATH": os.environ["PATH"]}
        if driver is not None:
            environment |= {"LD_LIBRARY_PATH": str(library().parent), "DS01_NVML_STATE": str(driver.path)}
        words = [source, attach, str(tmp_path / "run"), str(tmp_path / "sys")]
        ran = subprocess.run(
            [sys.executable, "-c", CHOICE, *words], env=environment, check=True, capture_output=True, text=True
        )
        return ran.stdout.splitlines()

    def test_auto_takes_real_gpus_when_there_are_some(self, tmp_path: Path, state: State) -> None:
        assert self.choose(tmp_path, "auto", driver=state) == ["NvmlDevices 2 False", "True"]

    def test_auto_simulates_on_a_machine_without_a_card(self, tmp_path: Path) -> None:
        assert self.choose(tmp_path, "auto")[0] == "SimDevices 4 True"

    def test_auto_never_simulates_beside_a_real_card(self, tmp_path: Path) -> None:
        card = tmp_path / "sys/bus/pci/devices/0000:3b:00.0"
        card.mkdir(parents=True)
        (card / "vendor").write_text("0x10de\n")
        (card / "class").write_text("0x030200\n")
        assert self.choose(tmp_path, "auto")[0] == "NvmlDevices 0 False"

    def test_simulated_never_loads_the_library(self, tmp_path: Path, state: State) -> None:
        assert self.choose(tmp_path, "simulated", driver=state) == ["SimDevices 4 True", "False"]

    def test_nvml_on_a_machine_without_one_is_refused(self, tmp_path: Path) -> None:
        assert self.choose(tmp_path, "nvml")[0].startswith("limits.file The limits file asks for NVIDIA GPUs")

    def test_real_gpus_are_not_attached_as_simulated_ones(self, tmp_path: Path, state: State) -> None:
        assert self.choose(tmp_path, "nvml", "simulated", driver=state)[0].startswith("limits.file Real GPUs cannot")
