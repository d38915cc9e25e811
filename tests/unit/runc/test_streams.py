"""No node of the host is root's to change in a container: neither by its path nor by an open file."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from ds01.runc import launcher, streams
from ds01.runc.edits import edited
from ds01.runc.grants import Grant, step_grant
from tests.unit.runc.test_guard import Runtime, first_process
from tests.unit.runc.test_rules import AS_OWNER, GIVEN, ID, PLAIN, WITH_ROOT

USUAL = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")}
LAB = {"path": "/dev/lab/fuse", "type": "c", "major": 10, "minor": 229}
NULL_INSIDE = {"path": "/dev/nvidia0", "type": "c", "major": 1, "minor": 3}


def read_only(grant: Grant, *devices: dict[str, Any]) -> set[str]:
    config = deepcopy(PLAIN)
    config["linux"]["devices"] = [*devices]
    found = edited(config, grant)["linux"]["readonlyPaths"]
    assert set(PLAIN["linux"]["readonlyPaths"]) <= set(found)
    return {path for path in found if path.startswith("/dev/")}


def test_e15_files_of_proc_are_read_only_where_root_may_be() -> None:
    found = edited(PLAIN, WITH_ROOT)["linux"]
    assert {"/proc/meminfo", "/proc/tty", "/proc/driver"} <= set(found["readonlyPaths"])
    assert not {"/proc/1", "/proc/self", "/proc/thread-self", "/proc/mounts", "/proc/net"} & set(found["readonlyPaths"])
    assert len(found["readonlyPaths"]) == len(set(found["readonlyPaths"]))
    assert "/proc/kcore" not in found["readonlyPaths"]
    assert edited(PLAIN, AS_OWNER)["linux"]["readonlyPaths"] == PLAIN["linux"]["readonlyPaths"]


def test_the_driver_of_gpus_is_seen_beside_a_gpu() -> None:
    driver = "/proc/driver/nvidia"
    assert driver not in edited(PLAIN, WITH_ROOT)["linux"]["maskedPaths"]
    assert driver in edited(PLAIN, Grant(GIVEN | {"gpus": []}))["linux"]["maskedPaths"]


def test_e15_nodes_are_read_only_where_root_may_be() -> None:
    without = Grant(GIVEN | {"gpus": []})
    assert read_only(without) == USUAL == read_only(step_grant(1001))
    assert read_only(without, NULL_INSIDE) == {*USUAL, "/dev/nvidia0"}


def test_e15_also_those_that_nvidias_hooks_put_there() -> None:
    grant = Grant(GIVEN | {"devices": [("c", 195, 3), ("c", 195, 255), ("c", 511, 0), ("c", 235, 12)]})
    hooks = {"/dev/nvidia3", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-caps/nvidia-cap12"}
    assert hooks <= read_only(grant)


def test_where_everything_is_its_owners_nothing_has_to_be() -> None:
    assert read_only(AS_OWNER, NULL_INSIDE) == set()


@pytest.fixture
def telling(tmp_path: Path) -> Runtime:
    """Its runc tells what its streams are."""
    runtime = Runtime(tmp_path)
    runc, said = tmp_path / "real-runc", tmp_path / "said"
    tells = "\n".join(f"f{number}=$(readlink /proc/$$/fd/{number})" for number in range(3))
    runc.write_text(f'#!/bin/sh\n{tells}\nprintf \'%s\\n\' "$f0" "$f1" "$f2" > {shlex.quote(str(said))}\n')
    runc.chmod(0o755)
    runtime.program = launcher.write(runtime.guard, runtime.data, str(runc))
    return runtime


def started(telling: Runtime, **streams_: Any) -> tuple[int, list[str]]:
    words = [telling.program, "--root", str(telling.place / "state"), "create", "--bundle", str(telling.bundle), ID]
    done = subprocess.run([str(word) for word in words], check=False, **streams_)
    said = telling.place / "said"
    lines = said.read_text().splitlines() if said.exists() else []
    said.unlink(missing_ok=True)
    telling.write(PLAIN)
    return done.returncode, lines


def test_e15_nothing_to_read_is_not_the_hosts_null(telling: Runtime) -> None:
    telling.grant()
    with (telling.place / "out").open("w") as out:
        code, said = started(telling, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        again, same = started(telling, stdin=out, stdout=out, stderr=out)
    assert code == again == 0
    assert said[0] == "/memfd:null (deleted)"
    assert said[1:] == [out.name] * 2
    assert same == [out.name] * 3


@pytest.mark.root
def test_an_owners_streams_and_terminals_stay(telling: Runtime) -> None:
    telling.grant(as_owner=True)
    assert started(telling, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)[1][:2] == ["/dev/null"] * 2
    telling.grant()
    config = deepcopy(PLAIN)
    config["process"]["terminal"] = True
    telling.write(config)
    assert started(telling, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)[1][:2] == ["/dev/null"] * 2


def test_e15_what_is_written_goes_not_to_the_hosts_null(telling: Runtime) -> None:
    telling.grant()
    done = started(telling, stdout=subprocess.DEVNULL)
    assert done == (1, [])


@pytest.mark.root
def test_e15_an_exec_has_a_null_by_which_nothing_is_changed(telling: Runtime) -> None:
    """And whatever its container has at that path is not looked at."""
    with unchanged_null():
        code, changed = executed(telling, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert code == 0
    assert changed == ["read nothing", "Read-only file system", "Read-only file system"]


def test_an_exec_with_a_terminal_has_no_null_to_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    exchanged: list[int] = []
    monkeypatch.setattr(streams, "_is_null", lambda stream: stream in (0, 2))
    monkeypatch.setattr(os, "dup2", lambda _, stream: exchanged.append(stream))
    streams.of_an_exec({"terminal": True})
    assert exchanged == []


@pytest.mark.root
def test_e15_a_kernel_that_makes_none_gives_an_exec_nothing_to_read(telling: Runtime) -> None:
    guard = telling.guard / "guard.py"
    guard.write_text(guard.read_text().replace("import sys\n", OLDER))
    with unchanged_null(), (telling.place / "out").open("w") as out:
        code, changed = executed(telling, stdin=subprocess.DEVNULL, stdout=out)
        refused, _ = executed(telling, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert (code, refused) == (0, 1)
    assert changed == ["read nothing", "changed"]


OLDER = f"""import sys
sys.path.append({str(Path(launcher.__file__).parents[2])!r})
from ds01.runc import kernel
kernel._OPEN_TREE = 9999
"""
"""Before the guard's program: a kernel without the call."""
CHANGES = """#!/usr/bin/env python3
import os
with open({said!r}, "w") as said:
    print("read", os.read(0, 9).decode() or "nothing", file=said)
    for stream in {streams}:
        try:
            os.fchmod(stream, 0o667)
            print("changed", file=said)
        except OSError as error:
            print(error.strerror, file=said)
"""


@contextlib.contextmanager
def unchanged_null() -> Iterator[None]:
    null = Path("/dev/null")
    before = null.stat().st_mode
    try:
        yield
    finally:
        after = null.stat().st_mode
        null.chmod(stat.S_IMODE(before))
    assert after == before


def executed(telling: Runtime, **streams_: Any) -> tuple[int, list[str]]:
    """An exec whose program tries to change who may use its streams: what it says of each."""
    file, said = telling.joining(), telling.place / "said"
    to_change = [0, 1] if streams_["stdout"] == subprocess.DEVNULL else [0]
    (telling.place / "real-runc").write_text(CHANGES.format(said=str(said), streams=to_change))
    said.unlink(missing_ok=True)
    words = [telling.program, "--root", telling.place / "state", "exec", "--process", file, "--detach", ID]
    with first_process() as pid:
        telling.runs("ds01.guard=root", ID, pid)
        done = subprocess.run([str(word) for word in words], check=False, stderr=subprocess.PIPE, **streams_)
    return done.returncode, said.read_text().splitlines() if said.exists() else []
