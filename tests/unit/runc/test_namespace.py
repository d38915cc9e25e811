"""In whose name the kernel counts what containers with root take."""

from __future__ import annotations

import json
import os
import shlex
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from ds01.runc import launcher
from ds01.runc.edits import EVERYBODY, edited_process
from ds01.runc.namespace import in_the_name_of, with_namespace
from tests.unit.runc.test_guard import Runtime

TELLS = """#!/usr/bin/env python3
import fcntl, json, os, struct
config = json.load(open({bundle!r} + "/config.json"))
(own,) = (each for each in config["linux"]["namespaces"] if each["type"] == "user")
namespace, owner = os.open(own["path"], os.O_RDONLY), bytearray(4)
fcntl.ioctl(namespace, 0xB704, owner)
json.dump(struct.unpack("I", owner)[0], open({said!r}, "w"))
"""
"""A runc that opens the namespace by the path it is told, and asks whose it is."""


@pytest.mark.parametrize(("uid", "number"), [(1001, 2147484649), (0x7FFFFFFE, 0xFFFFFFFE)])
def test_d9_every_person_has_a_number_of_nobodys(uid: int, number: int) -> None:
    assert in_the_name_of(uid) == number


@pytest.mark.parametrize("uid", [0x7FFFFFFF, 0x80000000, 0xFFFFFFFE])
def test_d9_a_uid_without_room_for_one_shares_a_number(uid: int) -> None:
    assert in_the_name_of(uid) == 0x80000000


@pytest.mark.root
def test_d9_runc_joins_a_namespace_in_her_name(tmp_path: Path) -> None:
    runtime = Runtime(tmp_path)
    runc, said = tmp_path / "real-runc", tmp_path / "said"
    runc.write_text(TELLS.format(bundle=str(runtime.bundle), said=str(said)))
    runc.chmod(0o755)
    runtime.program = launcher.write(runtime.guard, runtime.data, shlex.quote(str(runc)))
    runtime.grant()
    done = runtime.create()
    assert done.returncode == 0, done.stderr
    assert json.loads(said.read_text()) == in_the_name_of(1001)


def config(*namespaces: dict[str, str], mappings: Any = EVERYBODY) -> dict[str, Any]:
    return {"linux": {"namespaces": [*namespaces], "uidMappings": mappings, "gidMappings": mappings}}


def test_one_that_is_joined_stays() -> None:
    joined = config({"type": "pid", "path": "/proc/7/ns/pid"}, {"type": "user", "path": "/proc/7/ns/user"})
    assert with_namespace(deepcopy(joined), 1001) == joined == with_namespace(deepcopy(joined), 1002)
    owners = config({"type": "pid"})
    assert with_namespace(deepcopy(owners), 1001) == owners


@pytest.mark.root
def test_d9_where_none_can_be_made_nothing_starts() -> None:
    wrong = [{"containerID": 0, "hostID": 0, "size": 0}]
    with pytest.raises(OSError, match="Invalid argument"):
        with_namespace(config({"type": "user"}, mappings=wrong), 1001)


@pytest.mark.parametrize(
    ("release", "older"),
    [("5.14.0-427.el9.x86_64", False), ("6.18.44-fc", False), ("5.15-rc1", False), ("5.10.0-28-amd64", True),
     ("4.18.0-553.el8_10.x86_64", True)],
)  # fmt: skip
def test_d9_where_queues_are_counted_by_uid_alone_half_of_them_are_left(
    monkeypatch: pytest.MonkeyPatch, release: str, older: bool
) -> None:
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "", release, "", "")))
    files = {"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 4096}
    many, few = ({"type": "RLIMIT_MSGQUEUE", "soft": size, "hard": size} for size in (819200, 8192))
    half = {"type": "RLIMIT_MSGQUEUE", "soft": 409600, "hard": 409600}
    assert limits(None, files) == ([files, half] if older else [files])
    assert limits(None, many, files) == ([files, half] if older else [many, files])
    assert limits(None, few) == [few]
    assert limits((1001, 1001), many) == [many]


def limits(owner: tuple[int, int] | None, *asked: dict[str, Any]) -> Any:
    return edited_process({"rlimits": [*asked]}, owner, None)["rlimits"]
