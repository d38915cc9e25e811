"""A slot without a counter, judged by its processes: at rest only when all of them are known to rest."""

from __future__ import annotations

import os
from pathlib import Path

from ds01.adapters.nvml.activity import Activity
from ds01.domain.gpu import SlotId

SLOT, OTHER = SlotId("MIG-0"), SlotId("MIG-1")
TICKS = os.sysconf("SC_CLK_TCK")


def used(proc: Path, pid: int, seconds: float, name: bytes = b"py thon)") -> None:
    folder = proc / str(pid)
    folder.mkdir(exist_ok=True)
    after = f"S 1 1 1 0 -1 0 0 0 0 0 {round(seconds * TICKS)} 0 0 0 20 0\n"
    (folder / "stat").write_bytes(f"{pid} (".encode() + name + b") " + after.encode())


def test_a_slot_without_processes_is_at_rest(tmp_path: Path) -> None:
    assert Activity(tmp_path).utilisation({SLOT: []}, 100.0) == {SLOT: 0.0}


def test_a_slot_whose_processes_are_not_known_may_be_working(tmp_path: Path) -> None:
    assert Activity(tmp_path).utilisation({SLOT: None, OTHER: []}, 100.0) == {SLOT: None, OTHER: 0.0}


def test_a_debugger_that_waits_is_at_rest_and_its_sibling_that_trains_is_not(tmp_path: Path) -> None:
    activity = Activity(tmp_path)
    used(tmp_path, 7, 60.0)
    used(tmp_path, 8, 500.0)
    pids = {SLOT: [7], OTHER: [7, 8]}
    assert activity.utilisation(pids, 100.0) == {SLOT: None, OTHER: None}, "the first look knows nothing"
    used(tmp_path, 7, 60.05)
    used(tmp_path, 8, 507.0)
    assert activity.utilisation(pids, 115.0) == {SLOT: 0.0, OTHER: None}


def test_looks_that_follow_too_soon_say_the_same(tmp_path: Path) -> None:
    activity = Activity(tmp_path)
    used(tmp_path, 7, 1.0)
    activity.utilisation({SLOT: [7]}, 100.0)
    assert activity.utilisation({SLOT: [7]}, 115.0) == {SLOT: 0.0}
    used(tmp_path, 7, 1.4)
    assert activity.utilisation({SLOT: [7]}, 115.5) == {SLOT: 0.0}
    assert activity.utilisation({SLOT: [7]}, 130.0) == {SLOT: None}


def test_a_process_that_cannot_be_looked_at_may_be_working(tmp_path: Path) -> None:
    activity = Activity(tmp_path)
    activity.utilisation({SLOT: [9]}, 100.0)
    assert activity.utilisation({SLOT: [9]}, 115.0) == {SLOT: None}


def test_a_process_that_calls_itself_anything_is_looked_at(tmp_path: Path) -> None:
    activity = Activity(tmp_path)
    used(tmp_path, 7, 1.0, b"\xff")
    activity.utilisation({SLOT: [7]}, 100.0)
    assert activity.utilisation({SLOT: [7]}, 115.0) == {SLOT: 0.0}


def test_a_process_the_kernel_says_nothing_of_ends_no_look(tmp_path: Path) -> None:
    activity = Activity(tmp_path)
    used(tmp_path, 7, 1.0)
    (tmp_path / "7/stat").write_bytes(b"")
    assert activity.utilisation({SLOT: [7], OTHER: []}, 100.0) == {SLOT: None, OTHER: 0.0}
