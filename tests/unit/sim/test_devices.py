"""Simulated GPUs behave as a test scripts them."""

import json
import os
import stat
from pathlib import Path

import pytest

from ds01.domain.errors import Ds01Error
from ds01.domain.gpu import Slot, slots_of
from ds01.sim.clock import SimClock
from ds01.sim.devices import SCRIPT, SimDevices
from ds01.sim.script import Load


def made(run: Path, *lines: str, clock: SimClock | None = None) -> SimDevices:
    return SimDevices(lines or ("a100-40gb",) * 4, run=run, clock=clock or SimClock())


def slots(devices: SimDevices) -> list[Slot]:
    return [slot for gpu in devices.inventory() for slot in slots_of(gpu)]


def test_no_slots_means_no_nodes_and_no_gpu_by_environment(tmp_path: Path) -> None:
    attached = made(tmp_path).attach([])
    assert attached.environment == {"NVIDIA_VISIBLE_DEVICES": "void"}
    assert not attached.devices
    assert not attached.mounts


def test_e7_leased_slots_are_numbered_from_zero(tmp_path: Path) -> None:
    devices = made(tmp_path)
    first, third = slots(devices)[1], slots(devices)[3]
    attached = devices.attach([first, third])
    assert [device.inside for device in attached.devices] == ["/dev/nvidia0", "/dev/nvidia1"]
    assert attached.environment["NVIDIA_VISIBLE_DEVICES"] == f"{first.id},{third.id}"
    assert attached.environment["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


@pytest.mark.root
def test_i2_every_slot_has_a_node_of_its_own(tmp_path: Path) -> None:
    devices = made(tmp_path, "a100-40gb: 3g.20gb 2g.10gb 2g.10gb", "t4-16gb")
    hosts = [device.host for device in devices.attach(slots(devices)).devices]
    assert len(set(hosts)) == 4
    assert os.path.join(tmp_path, "dev", "nvidia1") in hosts
    assert all(os.stat(host).st_rdev == os.makedev(1, 3) and stat.S_ISCHR(os.stat(host).st_mode) for host in hosts)


@pytest.mark.root
def test_nodes_are_there_again_after_a_reboot(tmp_path: Path) -> None:
    host = made(tmp_path).attach(slots(made(tmp_path))[:1]).devices[0].host
    os.unlink(host)
    made(tmp_path)
    assert os.path.exists(host)


def test_load_and_processes_are_as_scripted(tmp_path: Path) -> None:
    devices = made(tmp_path)
    devices.set_load("1", Load(utilisation=0.8, memory_used_bytes=7, processes=((4711, 7),)))
    sample = next(s for s in devices.samples() if s.slot == slots(devices)[1].id)
    assert (sample.utilisation, sample.memory_used_bytes) == (0.8, 7)
    assert [(p.pid, p.slot) for p in devices.processes()] == [(4711, slots(devices)[1].id)]


async def test_the_meter_runs_with_the_clock(tmp_path: Path) -> None:
    clock = SimClock()
    devices = made(tmp_path, "a100-40gb", clock=clock)
    devices.set_load("0", Load(utilisation=1.0))
    await clock.advance(10)
    assert list(devices.energy().values()) == [4000.0]


def test_a_lost_gpu_is_not_in_the_inventory_but_in_the_faults(tmp_path: Path) -> None:
    devices = made(tmp_path)
    gone = slots(devices)[2].id
    devices.lose(2)
    assert [gpu.index for gpu in devices.inventory()] == [0, 1, 3]
    assert list(devices.faults()) == [gone]
    devices.find(2)
    assert len(devices.inventory()) == 4
    assert devices.faults() == {}


def test_a_broken_slot_says_why_until_mended(tmp_path: Path) -> None:
    devices = made(tmp_path)
    devices.break_slot("0", "Xid 79")
    assert devices.faults() == {slots(devices)[0].id: "Xid 79"}
    devices.mend("0")
    assert devices.faults() == {}


def test_a_script_file_reaches_a_daemon_of_its_own(tmp_path: Path) -> None:
    devices = made(tmp_path)
    words = {"slots": {"0": {"utilisation": None, "fault": "ECC", "processes": [[1, 2]]}}, "lost": [3]}
    (tmp_path / SCRIPT).write_text(json.dumps(words))
    assert devices.samples()[0].utilisation is None
    assert devices.faults()[slots(devices)[0].id] == "ECC"
    assert len(devices.inventory()) == 3


def test_repartition_changes_the_slots(tmp_path: Path) -> None:
    devices = made(tmp_path)
    devices.repartition(0, "a100-40gb: 7g.40gb")
    assert [slot.label for slot in slots(devices)] == ["0:7g.40gb", "1", "2", "3"]


def test_linked_cards_know_each_other(tmp_path: Path) -> None:
    first, second, third, fourth = made(tmp_path).inventory()
    assert (first.links, first.numa_node) == (frozenset({second.uuid}), 0)
    assert (third.links, third.numa_node) == (frozenset({fourth.uuid}), 1)
    assert not made(tmp_path / "other", "t4-16gb", "t4-16gb").inventory()[0].links


def test_an_impossible_list_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Ds01Error) as caught:
        made(tmp_path, "a100-40gb: 4g.20gb 4g.20gb")
    assert "8 compute slices of 7" in caught.value.problem.reason
