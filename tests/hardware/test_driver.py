"""The devices port over the real driver: what it says is what nvidia-smi says, and what a known program does."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pynvml
import pytest

from ds01.adapters.nvml.counters import between, support
from ds01.adapters.nvml.devices import NvmlDevices
from ds01.adapters.nvml.driver import Driver
from ds01.adapters.nvml.inventory import cards
from ds01.domain.gpu import Slot, slots_of
from ds01.ports.devices import GpuSample
from tests.hardware.conftest import Burn, Smi, ask, smi

_MIB = 2**20


@pytest.fixture
def devices(gpus: tuple[Smi, ...]) -> Iterator[NvmlDevices]:
    made = NvmlDevices()
    yield made
    made.close()


@pytest.fixture
def slots(devices: NvmlDevices) -> tuple[Slot, ...]:
    return tuple(slot for gpu in devices.inventory() for slot in slots_of(gpu))


def until(devices: NvmlDevices, true: object, seconds: float = 15) -> GpuSample:
    """The first sample of the first slot that is as it should be."""
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true(sample := devices.samples()[0]):
        assert time.monotonic() < deadline, sample
        time.sleep(0.2)
    return sample


def test_the_inventory_is_nvidia_smis(devices: NvmlDevices, gpus: tuple[Smi, ...]) -> None:
    found = devices.inventory()
    assert not devices.simulated
    assert devices.problem == ""
    assert [(gpu.uuid, gpu.model) for gpu in found] == [(gpu.uuid, gpu.name) for gpu in gpus]
    assert [round(gpu.memory_bytes / _MIB) for gpu in found] == [gpu.memory_mib for gpu in gpus]
    assert [gpu.pci_bus[-12:].lower() for gpu in found] == [gpu.bus[-12:].lower() for gpu in gpus]
    assert [gpu.mig for gpu in found] == [gpu.mig == "Enabled" for gpu in gpus]
    assert found == devices.inventory()


def test_the_profiles_it_can_be_divided_into_are_nvidia_smis(devices: NvmlDevices, gpus: tuple[Smi, ...]) -> None:
    """``mig -lgip`` lists one line per profile, and lists those with media engines (``+me``) as well."""
    for gpu, told in zip(devices.inventory(), gpus, strict=True):
        offered = {profile.name for profile in devices.offered(gpu.uuid)}
        if told.mig == "[N/A]":
            assert not offered
            continue
        listed = set(re.findall(r"MIG (\d+g\.\d+gb(?:\+\S+)?)", smi("mig", "-lgip", "-i", str(gpu.index))))
        assert listed
        assert offered == listed
        assert gpu.slices == max(profile.slices for profile in devices.offered(gpu.uuid))


def test_a_healthy_server_has_no_faults(devices: NvmlDevices, gpus: tuple[Smi, ...]) -> None:
    assert devices.faults() == {}


def test_nobody_there_is_at_rest(devices: NvmlDevices, slots: tuple[Slot, ...]) -> None:
    assert devices.processes() == ()
    sample = until(devices, lambda sample: sample.utilisation == 0)
    assert sample.slot == slots[0].id
    assert sample.temperature_c is not None
    assert 0 < sample.temperature_c < 90


def test_work_is_seen_and_whose_it_is(devices: NvmlDevices, burn: Burn, slots: tuple[Slot, ...]) -> None:
    before = devices.samples()[0]
    assert before.memory_used_bytes is not None
    joules = devices.energy()
    with burn(2048, "work") as pid:
        sample = until(devices, lambda sample: (sample.utilisation or 0) > 0.5)
        assert sample.memory_used_bytes is not None
        assert sample.memory_used_bytes - before.memory_used_bytes >= 2048 * _MIB
        found = devices.processes()
        assert {process.slot for process in found} == {slot.id for slot in slots}
        # In a virtual machine or a namespace of pids the driver may number processes as it sees them.
        assert {process.pid for process in found} == {pid}
        assert all(process.memory_bytes >= 2048 * _MIB for process in found)
        begun, before_it = time.monotonic(), devices.energy()
        time.sleep(2)
        watts = float(ask("power.draw")[0][0])
        seconds, spent = time.monotonic() - begun, devices.energy()
    used = {gpu: spent[gpu] - joules[gpu] for gpu in joules}
    assert all(10 < one < 100_000 for one in used.values()), used
    assert (spent[slots[0].gpu] - before_it[slots[0].gpu]) / seconds == pytest.approx(watts, rel=0.5)


def test_the_cards_own_counters_tell_work_from_rest(burn: Burn) -> None:
    """MIG instances are judged by these; here of the whole card, because nothing of it is changed."""
    driver = Driver()
    assert driver.start()
    card = cards(driver, Path("/sys"))[0]
    if not driver.ask_many(support, card.handle):
        pytest.skip("this card has no counters of its own (GPM): an H100 and later ones have")

    def counted() -> float:
        samples = [pynvml.nvmlGpmSampleAlloc() for _ in range(2)]
        for sample in samples:
            pynvml.nvmlGpmSampleGet(card.handle, sample)
            time.sleep(1)
        share = between(driver, *samples)
        for sample in samples:
            pynvml.nvmlGpmSampleFree(sample)
        assert share is not None
        return share

    def comes_to_rest() -> None:
        """A program that ended is counted a moment longer."""
        deadline = time.monotonic() + 15
        while (share := counted()) >= 0.05:
            assert time.monotonic() < deadline, share

    comes_to_rest()
    with burn(1024, "work"):
        time.sleep(1)
        assert counted() > 0.5
    comes_to_rest()
    driver.stop()


def test_memory_held_without_work_is_rest(devices: NvmlDevices, burn: Burn) -> None:
    with burn(1024, "rest"):
        sample = until(devices, lambda sample: sample.utilisation == 0)
        assert sample.memory_used_bytes is not None
        assert sample.memory_used_bytes >= 1024 * _MIB
        assert devices.processes()


def test_nothing_is_left_of_a_program_that_ended(devices: NvmlDevices, burn: Burn) -> None:
    with burn(1024, "work"):
        until(devices, lambda sample: (sample.utilisation or 0) > 0.5)
    deadline = time.monotonic() + 15
    while devices.processes():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    until(devices, lambda sample: sample.utilisation == 0)
