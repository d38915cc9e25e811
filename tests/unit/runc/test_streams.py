"""No node of the host is root's to change in a container: neither by its path nor by an open file."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from ds01.runc import launcher, streams
from ds01.runc.edits import edited
from ds01.runc.grants import Grant, step_grant
from tests.unit.runc.test_guard import Runtime
from tests.unit.runc.test_rules import AS_OWNER, GIVEN, ID, PLAIN

USUAL = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")}
LAB = {"path": "/dev/lab/fuse", "type": "c", "major": 10, "minor": 229}
NULL_INSIDE = {"path": "/dev/nvidia0", "type": "c", "major": 1, "minor": 3}


def read_only(grant: Grant, *devices: dict[str, Any]) -> set[str]:
    config = deepcopy(PLAIN)
    config["linux"]["devices"] = [*devices]
    found = edited(config, grant)["linux"]["readonlyPaths"]
    assert set(PLAIN["linux"]["readonlyPaths"]) <= set(found)
    return set(found) - set(PLAIN["linux"]["readonlyPaths"])


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
    runtime.program = launcher.write(runtime.guard, Path("/var/lib/docker"), str(runc))
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
    assert said[0].startswith("pipe:")
    assert said[1:] == [out.name] * 2
    assert same == [out.name] * 3


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


@pytest.mark.parametrize("read_only_inside", [True, False])
def test_e15_an_exec_has_the_containers_own_null(monkeypatch: pytest.MonkeyPatch, read_only_inside: bool) -> None:
    """Where it is read-only: in one of before it is the host's by its path as well."""
    exchanged: list[int] = []
    flag = os.ST_RDONLY if read_only_inside else 0
    monkeypatch.setattr(streams, "_is_null", lambda stream: stream in (0, 2))
    monkeypatch.setattr(os, "dup2", lambda _, stream: exchanged.append(stream))
    monkeypatch.setattr(os, "fstatvfs", lambda _: os.statvfs_result((0,) * 8 + (flag, 0)))
    streams.of_an_exec({}, os.getpid())
    assert exchanged == ([0, 2] if read_only_inside else [])
    streams.of_an_exec({"terminal": True}, os.getpid())
    streams.of_an_exec({}, None)
    assert exchanged == ([0, 2] if read_only_inside else [])


def test_runcs_record_of_the_first_process_is_read(telling: Runtime) -> None:
    """A process that is gone by now: the exec ends, and nothing is guessed."""
    file = telling.place / "process.json"
    file.write_text(json.dumps({"user": {"uid": 0, "gid": 0}, "args": ["id"]}))
    state = telling.place / "state" / ID
    state.mkdir(parents=True)
    config = {"labels": ["ds01.guard=root"], "cgroups": {}}
    (state / "state.json").write_text(json.dumps({"config": config, "init_process_pid": 2**22 + 1}))
    words = [telling.program, "--root", telling.place / "state", "exec", "--process", file, ID]
    done = subprocess.run([str(word) for word in words], check=False, stdin=subprocess.DEVNULL, capture_output=True)
    assert (done.returncode, b"cannot be checked" in done.stderr) == (1, True)
