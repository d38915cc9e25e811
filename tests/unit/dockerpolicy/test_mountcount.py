"""How many mounts a container has, how many volumes it brings about, and where those of its image are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ds01.domain.dockerpolicy.case import Asker, Case
from ds01.domain.dockerpolicy.create import judge_create
from ds01.domain.dockerpolicy.mountcount import check_mounts, nameless
from ds01.domain.dockerpolicy.mounts import check_places
from ds01.domain.dockerpolicy.strictjson import parse_object
from ds01.domain.dockerpolicy.verdict import RefusedError

VOLUME = {"Type": "volume", "Target": "/a"}


def asked(config: dict[str, Any]) -> Case:
    body = parse_object(json.dumps({"Image": "bb", **config}).encode())
    return judge_create(body, "mine", Asker(uid=1002, gid=1002)).case


@pytest.mark.parametrize(
    ("config", "of_image", "number"),
    [
        ({}, (), 0),
        ({"Volumes": {"/a": {}, "/b/": {}}}, ("/b", "/c/"), 3),
        ({"HostConfig": {"Mounts": [VOLUME, {**VOLUME, "Target": "/b"}]}}, ("/a",), 2),
        ({"HostConfig": {"Mounts": [{**VOLUME, "Source": "data"}]}, "Volumes": {"/a": {}}}, ("/a",), 0),
        ({"HostConfig": {"Mounts": [{"Type": "tmpfs", "Target": "/a"}]}}, ("/a",), 0),
        ({"HostConfig": {"Tmpfs": {"/a": ""}}}, ("/a",), 1),
        ({"HostConfig": {"Binds": ["/home/me:/a", "data:/b", "/var/run/docker.sock:/c"]}}, ("/a", "/b", "/c"), 0),
    ],
)
def test_d9_volumes_that_nobody_names(config: dict[str, Any], of_image: tuple[str, ...], number: int) -> None:
    assert nameless(asked(config), of_image) == number


@pytest.mark.parametrize(
    "config",
    [
        {"HostConfig": {"Binds": [f"/home/me:/b{number}" for number in range(60)]}},
        {"HostConfig": {"Binds": [f"data:/b{number}" for number in range(60)]}},
        {"HostConfig": {"Binds": [f"/var/run/docker.sock:/b{number}" for number in range(60)]}},
        {"HostConfig": {"Mounts": [{"Type": "volume", "Target": f"/v{number}"} for number in range(60)]}},
        {"HostConfig": {"Mounts": [{"Type": "tmpfs", "Target": f"/v{number}"} for number in range(60)]}},
        {"HostConfig": {"Tmpfs": {f"/t{number}": "" for number in range(60)}}},
        {"Volumes": {f"/v{number}": {} for number in range(60)}},
    ],
)
def test_mounts_of_every_kind_are_counted_together(config: dict[str, Any]) -> None:
    case = asked(config)
    check_mounts(case, ("/a", "/b"), ("/a", "/c", "/d"))
    with pytest.raises(RefusedError, match="65 mounts, and may have 64"):
        check_mounts(case, ("/a", "/b"), ("/e", "/c", "/d"))


def test_d9_no_volume_is_made_where_another_containers_is() -> None:
    assert nameless(asked({"Volumes": {"/a": {}, "/b": {}}}), ("/c",), ("/a", "/c")) == 1


@pytest.mark.parametrize(
    ("place", "clean"),
    [("/dev/pts", "/dev/pts"), ("//dev/", "/dev"), ("/dev/./mqueue", "/dev/mqueue"), ("sys/fs/x", "/sys/fs/x"),
     ("/data/../proc", "/proc"), ("../run/ds01/session", "/run/ds01/session"), ("/", "/"), ("//", "/"), ("..", "/"),
     ("/var/run/nvidia-container-devices/all", "/var/run/nvidia-container-devices/all"), ("/dev/shm/..", "/dev")],
)  # fmt: skip
def test_an_image_mounts_nothing_where_nobody_may(place: str, clean: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_places(("/data", place))
    assert refused.value.message.startswith(
        f"DS01: the image's volume at {clean!r} is not allowed here (create.volumes). Take that VOLUME out of its"
    )


def test_an_image_mounts_volumes_anywhere_else() -> None:
    check_places(
        ("/data", "data", "/var/lib/postgresql/", "/dev/shm/x", "/device", "/a/../b", "/run/postgresql", "/etc")
    )
