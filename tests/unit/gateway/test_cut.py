"""What was asked for and is more than there may be is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

GIB = 1024**3
GRANT = {
    "ticket": "t", "stored_name": f"next._.{UID}", "labels": {}, "cgroup_parent": "/x", "network": f"ds01-u{UID}",
    "cpus": 1.5, "memory_bytes": 6 * GIB, "swap_bytes": 0, "shm_bytes": 64 << 20, "pids": 100, "stop_grace_seconds": 9,
}  # fmt: skip
MADE = {"id": MINE, "uid": UID, "name": "next", "stored_name": f"next._.{UID}", "image_ref": "bb"}
MEMORY = "DS01: memory set to at most 6G: ds01 limits explain memory"
CPUS = "DS01: CPUs set to at most 1.5: ds01 limits explain cpus"
SHM = "DS01: shared memory set to at most 64M: ds01 limits explain shm"
PIDS = "DS01: processes set to at most 100: ds01 limits explain pids"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.daemon.answers |= {
            "/door/creates": as_json(GRANT), "/creates/commit": as_json({"container": MADE, "volumes": []}),
            "/creates/abort": plain(204),
        }  # fmt: skip
        made.engine.answers |= {
            "/images/bb/json": as_json({"Id": "sha256:1", "RepoTags": ["bb:latest"], "Config": {}}),
            "/containers/create": as_json({"Id": MINE, "Warnings": ["the engine's"]}, 201),
        }  # fmt: skip
        yield made


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ({"Memory": 100 * GIB}, [MEMORY]),
        ({"NanoCpus": 9 * 10**9}, [CPUS]),
        ({"CpuQuota": 900_000, "CpuPeriod": 100_000}, [CPUS]),
        ({"ShmSize": 100 * GIB, "PidsLimit": 101}, [SHM, PIDS]),
        ({"PidsLimit": -1}, [PIDS]),
        ({"Memory": 100 * GIB, "NanoCpus": 9 * 10**9, "ShmSize": GIB, "PidsLimit": -1}, [MEMORY, CPUS, SHM, PIDS]),
        ({"Memory": 6 * GIB, "NanoCpus": 1_500_000_000, "ShmSize": 64 << 20, "PidsLimit": 100}, []),
        ({"Memory": 1 << 20, "NanoCpus": 1, "ShmSize": 1, "PidsLimit": 1}, []),
        ({"Memory": 0, "NanoCpus": 0, "ShmSize": 0, "PidsLimit": 0, "CpuQuota": 0}, []),
        ({"PidsLimit": None}, []),
        ({}, []),
    ],
)
async def test_what_is_cut_is_told_and_what_nobody_asked_for_is_not(
    place: Farm, host: dict[str, Any], told: list[str]
) -> None:
    asked = {"Image": "bb", "HostConfig": host}
    status, found = await place.ask("POST", "/v1.41/containers/create?name=next", asked)
    assert (status, found["Warnings"]) == (201, ["the engine's", *told])


MOST = {"cpus": 1.5, "memory_bytes": 6 * GIB, "swap_bytes": 0, "pids": 100, "devices": False}
NO_RESTART = "DS01: a container with devices is not started again by the engine"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"Memory": 100 * GIB, "MemorySwap": -1}, [MEMORY]),
        ({"NanoCpus": 9 * 10**9}, [CPUS]),
        ({"CpuQuota": 900_000, "CpuPeriod": 100_000}, [CPUS]),
        ({"PidsLimit": 101}, [PIDS]),
        ({"PidsLimit": -1}, [PIDS]),
        ({"Memory": 100 * GIB, "NanoCpus": 9 * 10**9, "PidsLimit": -1}, [MEMORY, CPUS, PIDS]),
        ({"Memory": 6 * GIB, "NanoCpus": 1_500_000_000, "PidsLimit": 100}, []),
        ({"Memory": 0, "NanoCpus": 0, "PidsLimit": 0, "CpuQuota": 0}, []),
        ({"RestartPolicy": {"Name": "unless-stopped"}}, []),
        ({}, []),
    ],
)
async def test_what_an_update_cuts_is_told(place: Farm, asked: dict[str, Any], told: list[str]) -> None:
    place.daemon.answers["/door/amounts"] = as_json(MOST)
    place.engine.answers["/update"] = as_json({"Warnings": ["the engine's"]})
    status, found = await place.ask("POST", f"/v1.41/containers/{MINE}/update", asked)
    assert (status, found["Warnings"]) == (200, ["the engine's", *told])


async def test_an_update_says_that_a_container_with_devices_is_not_started_again(place: Farm) -> None:
    place.daemon.answers["/door/amounts"] = as_json({**MOST, "devices": True})
    place.engine.answers["/update"] = as_json({"Warnings": None})
    for name, told in (("unless-stopped", [NO_RESTART]), ("no", [])):
        asked = {"RestartPolicy": {"Name": name}}
        status, found = await place.ask("POST", f"/v1.41/containers/{MINE}/update", asked)
        assert (status, found["Warnings"]) == (200, told)
