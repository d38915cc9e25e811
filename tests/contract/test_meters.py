"""What every meter promises: counters that grow with use, and an unknown for what is not there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from ds01.adapters.host.meters import CgroupMeters
from ds01.domain.container import ContainerId
from ds01.domain.people import Uid, slice_of
from ds01.ports.meters import Meter, Meters
from ds01.sim.clock import SimClock
from ds01.sim.meters import SimMeters, Use

UID = Uid(99001)
BUSY = ContainerId("b" * 64)
GONE = ContainerId("0" * 64)


class World(Protocol):
    """A host with one container that computes."""

    meters: Meters

    async def work(self) -> None: ...
    def pid(self) -> int: ...


class SimWorld:
    def __init__(self) -> None:
        self._clock = SimClock()
        self._sim = SimMeters(clock=self._clock, gone={GONE}, processes={BUSY: (41,)})
        self._sim.use(BUSY, Use(cpus=1.0, memory_bytes=2**20, memory_peak_bytes=2**21))
        self.meters: Meters = self._sim

    async def work(self) -> None:
        await self._clock.advance(2)

    def pid(self) -> int:
        return 41


class CgroupWorld:
    """Cgroups as the engine makes them on this kernel, with a process in them that never rests."""

    def __init__(self, root: Path = Path("/sys/fs/cgroup")) -> None:
        unified = (root / "cgroup.controllers").exists()
        tops = [root] if unified else [root / "cpuacct", root / "memory"]
        self._folders = [top / slice_of(UID) / BUSY for top in tops]
        for folder in self._folders:
            folder.mkdir(parents=True)
        if unified:
            for above in (root, self._folders[0].parent):
                (above / "cgroup.subtree_control").write_text("+cpu +memory")
        joins = "; ".join(f"echo $$ > {folder}/cgroup.procs" for folder in self._folders)
        script = f"{joins}; exec {sys.executable} -c 'while True: pass'"
        self._process = subprocess.Popen(["sh", "-e", "-c", script])
        while not (self._folders[-1] / "cgroup.procs").read_text():
            assert self._process.poll() is None
            time.sleep(0.01)
        self.meters: Meters = CgroupMeters(root)

    async def work(self) -> None:
        """Until it has had the processor for a while, however many want it."""
        before = self._worked()
        while self._worked() - before < 0.1:
            time.sleep(0.05)

    def _worked(self) -> float:
        """The seconds of processor it has had."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) / os.sysconf("SC_CLK_TCK")

    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for folder in self._folders:
            folder.rmdir()
            folder.parent.rmdir()


@pytest.fixture(params=["simulated", pytest.param("cgroups", marks=pytest.mark.root)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "simulated":
        yield SimWorld()
        return
    real = CgroupWorld()
    yield real
    real.close()


class TestMeters:
    async def test_cpu_grows_with_work(self, world: World) -> None:
        before = world.meters.read([(BUSY, UID)])[BUSY]
        await world.work()
        after = world.meters.read([(BUSY, UID)])[BUSY]
        assert before.cpu_seconds is not None
        assert after.cpu_seconds is not None
        assert after.cpu_seconds > before.cpu_seconds

    async def test_memory_and_network_are_known(self, world: World) -> None:
        await world.work()
        seen = world.meters.read([(BUSY, UID)])[BUSY]
        assert seen.network_bytes is not None
        assert (seen.memory_bytes or 0) > 0
        assert (seen.memory_peak_bytes or 0) >= (seen.memory_bytes or 0)

    async def test_what_is_not_there_is_unknown(self, world: World) -> None:
        assert world.meters.read([(GONE, UID)]) == {GONE: Meter()}
        assert world.meters.pids(GONE, UID) == ()

    async def test_its_processes_are_known(self, world: World) -> None:
        assert world.meters.pids(BUSY, UID) == (world.pid(),)


def test_version_2_and_systemd_are_read_too(tmp_path: Path) -> None:
    scope = tmp_path / "cgroup" / "ds01.slice" / slice_of(UID) / f"docker-{BUSY}.scope"
    net = tmp_path / "proc" / "7" / "net"
    net.mkdir(parents=True)
    (net / "dev").write_text("a\nb\n  lo: 9 0 0 0 0 0 0 0 9 0\n  eth0: 100 0 0 0 0 0 0 0 23 0 0\n")
    scope.mkdir(parents=True)
    for name, text in {
        "cpu.stat": "usage_usec 1500000\nuser_usec 1\n", "memory.current": "5000\n", "memory.peak": "9000\n",
        "memory.stat": "anon 1\ninactive_file 1000\n", "cgroup.procs": "7\n",
    }.items():  # fmt: skip
        (scope / name).write_text(text)
    (tmp_path / "cgroup" / "cgroup.controllers").write_text("cpu memory pids\n")
    meters = CgroupMeters(tmp_path / "cgroup", tmp_path / "proc")
    assert meters.read([(BUSY, UID)])[BUSY] == Meter(
        cpu_seconds=1.5, memory_bytes=4000, memory_peak_bytes=9000, network_bytes=123
    )
    (scope / "cgroup.procs").write_text("8\n")
    assert meters.read([(BUSY, UID)])[BUSY].network_bytes is None
