"""The stand-in for nvidia-smi: what is leased, numbered from 0, in any POSIX shell, never silent."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ds01.domain.gpu import slots_of
from ds01.sim.clock import SimClock
from ds01.sim.devices import SimDevices

SHELLS = [shell for shell in ("dash", "busybox", "bash") if shutil.which(shell)]


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    return [request.param, "ash"] if request.param == "busybox" else [request.param]


class Container:
    """The stand-in as a container with GPUs 2 and an instance of GPU 1 would run it: nothing else on the PATH."""

    def __init__(self, run: Path, shell: list[str]) -> None:
        devices = SimDevices(["t4-16gb", "a100-40gb: 3g.20gb 2g.10gb", "h100-80gb"], run=run, clock=SimClock())
        slots = {slot.label: slot for gpu in devices.inventory() for slot in slots_of(gpu)}
        self.slots = (slots["2"], slots["1:3g.20gb"])
        self._attached = devices.attach(self.slots)
        self._shell = [shutil.which(shell[0]) or shell[0], *shell[1:]]

    def smi(self, *words: str, gpus: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/nowhere"} | (self._attached.environment if gpus else {})
        (mount,) = self._attached.mounts
        return subprocess.run(
            [*self._shell, mount.source, *words], env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def container(tmp_path: Path, shell: list[str]) -> Container:
    return Container(tmp_path, shell)


def test_e7_devices_are_numbered_from_zero(container: Container) -> None:
    whole, part = container.slots
    shown = container.smi("--query-gpu=index,name,uuid,memory.total", "--format=csv,noheader,nounits")
    assert shown.stdout.splitlines() == [
        f"0, NVIDIA H100 80GB HBM3, {whole.id}, 81920",
        f"1, NVIDIA A100-SXM4-40GB MIG 3g.20gb, {part.id}, 20480",
    ]


def test_the_header_and_units_are_those_of_nvidia_smi(container: Container) -> None:
    shown = container.smi("--query-gpu=index,memory.total,utilization.gpu", "--format=csv")
    assert shown.stdout.splitlines() == [
        "index, memory.total [MiB], utilization.gpu [%]",
        "0, 81920 MiB, 0 %",
        "1, 20480 MiB, 0 %",
    ]


def test_list_names_every_device(container: Container) -> None:
    first, second = container.smi("-L").stdout.splitlines()
    assert first == f"GPU 0: NVIDIA H100 80GB HBM3 [SIMULATED] (UUID: {container.slots[0].id})"
    assert second.startswith("GPU 1: NVIDIA A100-SXM4-40GB MIG 3g.20gb [SIMULATED]")


def test_the_table_is_straight_and_says_simulated(container: Container) -> None:
    lines = container.smi().stdout.splitlines()
    assert {len(line) for line in lines} == {79}
    assert "SIMULATED" in lines[1]


def test_simulation_is_never_silent(container: Container) -> None:
    for words in ((), ("-L",), ("--query-gpu=name", "--format=csv"), ("-i", "0", "-L")):
        assert "SIMULATED" in container.smi(*words).stderr


def test_one_device_can_be_picked(container: Container) -> None:
    assert container.smi("-i", "1", "--query-gpu=index", "--format=csv,noheader").stdout == "1\n"


def test_mistakes_are_said(container: Container) -> None:
    unknown = container.smi("--query-gpu=colour", "--format=csv")
    assert (unknown.returncode, '"colour" is not a valid field' in unknown.stderr) == (2, True)
    assert container.smi("-q").returncode == 2
    assert container.smi("-L", gpus=False).returncode == 6
