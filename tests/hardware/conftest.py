"""The GPUs of this machine, as ``nvidia-smi`` tells them, and a program that uses them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

Burn = Callable[..., AbstractContextManager[int]]
"""``burn(mib, "work")``: the pid of a program that uses all GPUs while the context lasts."""


@dataclass(frozen=True, kw_only=True)
class Smi:
    """One GPU, in nvidia-smi's words."""

    uuid: str
    name: str
    memory_mib: int
    bus: str
    mig: str


def smi(*words: str) -> str:
    """What ``nvidia-smi`` prints."""
    return subprocess.run(["nvidia-smi", *words], capture_output=True, text=True, check=True).stdout


def ask(*fields: str) -> list[list[str]]:
    """A line per GPU, a cell per field."""
    lines = smi(f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits").splitlines()
    return [[cell.strip() for cell in line.split(",")] for line in lines]


@pytest.fixture(scope="session")
def gpus() -> tuple[Smi, ...]:
    """The GPUs of this machine; without one these tests fail, since whoever ran them wanted to see them."""
    if shutil.which("nvidia-smi") is None:
        pytest.fail("these tests need a server with NVIDIA GPUs and their driver", pytrace=False)
    found = ask("uuid", "name", "memory.total", "pci.bus_id", "mig.mode.current")
    return tuple(
        Smi(uuid=uuid, name=name, memory_mib=int(memory), bus=bus, mig=mig) for uuid, name, memory, bus, mig in found
    )


@pytest.fixture(scope="session")
def program() -> Iterator[Path]:
    """``burn``, compiled."""
    with tempfile.TemporaryDirectory(prefix="ds01burn", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        source, built = Path(__file__).with_name("burn.c"), Path(folder) / "burn"
        subprocess.run(["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", built, source, "-ldl"], check=True)
        yield built


@pytest.fixture
def burn(program: Path, gpus: tuple[Smi, ...]) -> Burn:
    @contextlib.contextmanager
    def burning(mib: int, how: str) -> Iterator[int]:
        with subprocess.Popen([program, str(mib), "60", how], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                assert [process.stdout.readline().strip() for _ in gpus] == [gpu.uuid for gpu in gpus]
                assert process.stdout.readline() == "ready\n"
                yield process.pid
            finally:
                process.kill()

    return burning


def driver_files() -> tuple[Path, ...]:
    """``nvidia-smi`` and the libraries of the driver that programs load."""
    cache = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    lines = [line.split("=>") for line in cache.splitlines() if "=>" in line]
    known = {name.split()[0]: Path(path.strip()) for name, path in lines if "x86-64" in name}
    beside = [Path(folder) for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder]
    found = [Path(str(shutil.which("nvidia-smi")))]
    for name in ("libnvidia-ml.so.1", "libcuda.so.1", "libnvidia-ptxjitcompiler.so.1"):
        here = known.get(name) or next((folder / name for folder in beside if (folder / name).exists()), None)
        if here is not None:
            found.append(here)
    return tuple(found)
