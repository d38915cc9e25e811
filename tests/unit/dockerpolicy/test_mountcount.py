"""How many volumes a container brings about."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ds01.domain.dockerpolicy.case import Asker
from ds01.domain.dockerpolicy.create import judge_create
from ds01.domain.dockerpolicy.mountcount import nameless
from ds01.domain.dockerpolicy.strictjson import parse_object

VOLUME = {"Type": "volume", "Target": "/a"}


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
    body = parse_object(json.dumps({"Image": "bb", **config}).encode())
    assert nameless(judge_create(body, "mine", Asker(uid=1002, gid=1002)).case, of_image) == number
