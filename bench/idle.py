"""ds01d at rest with 200 running containers on networks of their own and leases on eight sampled GPUs, three of them
divided: its share of a core, its memory, and whether it grows.

Started with the ledger that is there, as on every start but a server's first, which builds the tables.

Ten minutes; ``DS01_BENCH_SECONDS`` makes it shorter while working on it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from dev import engine, stack
from dev.programs import Program
from dev.promises.lab import Lab

from bench.row import Row
from bench.stage import GPUS, MANY, crowd

SECONDS = float(os.environ.get("DS01_BENCH_SECONDS", "600"))


def measure() -> Iterator[Row]:
    """Processor time between two readings, after a minute to settle."""
    program = _started_again(crowd())
    time.sleep(min(60, SECONDS / 10))
    before, resident = processor_seconds(program.pid), resident_megabytes(program.pid)
    time.sleep(SECONDS)
    share = (processor_seconds(program.pid) - before) / SECONDS * 100
    after = resident_megabytes(program.pid)
    where = f"ds01d at rest, {MANY} containers, {len(GPUS)} GPUs, {SECONDS / 60:g} min"
    yield Row(path=f"{where}: core", ours=share, unit="%", rule="≤ 2 %", judged=share, budget=2)
    yield Row(path=f"{where}: memory", ours=after, unit="MB", rule="≤ 120 MB", judged=after, budget=120)
    yield Row(
        path=f"{where}: growth", ours=after - resident, unit="MB", rule="≤ 5 MB", judged=after - resident, budget=5
    )


def _started_again(lab: Lab) -> Program:
    """Its ds01d, on the ledger it has."""
    before = lab.stack.ds01d
    assert before is not None
    os.kill(before.pid, signal.SIGTERM)
    while engine.answers(lab.stack.api, "/v1/ping"):
        time.sleep(0.1)
    now = stack.up(str(lab.stack.state), own_engine=True).ds01d
    assert now is not None
    assert now.pid != before.pid
    return now


def processor_seconds(pid: int) -> float:
    """What a process has used of processors so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(pid: int) -> float:
    """How much memory a process has now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024
