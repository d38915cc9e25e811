"""``/system/df`` for one user, however much of others' the engine tells, and in the form her client knows."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ds01.gateway.rows import ROW_BYTES
from ds01.gateway.upstream import JSON_BYTES
from ds01.wire.holdings import DoorVolume
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

MIB = 1024 * 1024
BOUND = 24 * MIB
"""Of all that the gateway and what stands in for its neighbours keep at once; the engine's own copy is made before."""

HERS: dict[str, Any] = {
    "LayersSize": 900,
    "Images": [{"Id": "sha256:1", "RepoTags": ["bb:latest"], "Size": 700, "SharedSize": 200, "Containers": 0}],
    "Containers": [{"Id": MINE, "Names": ["/x"], "State": "running", "SizeRw": 30, "Labels": {}}],
    "Volumes": None,
    "BuildCache": [{"ID": "mine", "Size": 50, "InUse": False, "Shared": False}],
}
OTHERS: dict[str, Any] = {
    "Images": {"Id": "sha256:2", "RepoTags": ["secret"], "Size": 5},
    "Containers": {"Id": "c" * 64, "Names": ["/secret"], "SizeRw": 5},
    "Volumes": {"Name": "secret", "UsageData": {"Size": 5, "RefCount": 1}},
    "BuildCache": {"ID": "secret", "Size": 5},
}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.daemon.answers |= {f"/door/users/{UID}/cache": as_json({"ids": ["mine"]})}
        yield made


def told(each: int = 0, label: str = "", **others: Any) -> dict[str, Any]:
    """What the engine measured: her rows between ``each`` of others' in every list, with such a label."""
    found = dict(HERS)
    for name, row in OTHERS.items():
        rows = [{**row, "Labels": {"a": label}}] * each
        found[name] = [*rows, *(HERS[name] or ()), *rows] or None
    return {**found, **others}


async def test_o21_of_each_list_her_own(place: Farm) -> None:
    place.engine.answers["/system/df"] = as_json(told(3))
    status, found = await place.get("/v1.41/system/df?type=image&verbose=1")
    assert (status, place.engine.asked[-1]) == (200, "GET /v1.41/system/df?type=image")
    assert "secret" not in json.dumps(found)
    assert {name: len(found[name]) for name in OTHERS} == {"Images": 1, "Containers": 1, "Volumes": 0, "BuildCache": 1}
    assert (found["LayersSize"], found["BuilderSize"]) == (700, 50)
    assert found["Containers"][0]["Names"] == ["/web"]


async def test_in_whichever_order_they_come(place: Farm) -> None:
    place.engine.answers["/system/df"] = as_json(told(2))
    usual = await place.get("/v1.41/system/df")
    place.engine.answers["/system/df"] = as_json(dict(reversed(told(2, New=None, Newer=[{"Id": MINE}]).items())))
    assert await place.get("/v1.41/system/df") == usual


async def test_e33_a_hundred_mebibytes_of_others_keep_nobody_from_her_own(place: Farm) -> None:
    place.engine.answers["/system/df"] = as_json(told(27, "x" * (ROW_BYTES // 2)))
    assert len(place.engine.answers["/system/df"]) > 100 * MIB > 3 * JSON_BYTES
    tracemalloc.start()
    try:
        status, found = await place.get("/v1.41/system/df")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (status, len(found["Images"]), len(found["Containers"])) == (200, 1, 1)
    assert peak < BOUND


async def test_e33_nor_from_the_list_of_her_volumes(place: Farm) -> None:
    volumes = [{"Name": f"v{number}", "Labels": {"a": "x" * (ROW_BYTES // 2)}} for number in range(70)]
    place.engine.answers["/volumes"] = as_json({"Volumes": volumes, "Warnings": None})
    assert await place.get("/v1.41/volumes") == (200, {"Volumes": [], "Warnings": None})
    assert await place.ask("POST", "/v1.41/volumes/prune") == (200, {"VolumesDeleted": [], "SpaceReclaimed": 0})


async def test_what_is_pruned_is_told_by_the_names_she_has(place: Farm) -> None:
    place.registry.learn(DoorVolume(id="before-ds01", uid=UID, name="data"))
    rows = [{"Name": "before-ds01", "UsageData": {"Size": 7, "RefCount": 0}}]
    place.engine.answers |= {
        "/volumes": as_json({"Volumes": rows, "Warnings": None}), "/volumes/before-ds01": plain(204),
        "/system/df": as_json({**HERS, "Volumes": rows}),
    }  # fmt: skip
    place.daemon.answers["/door/dropped"] = plain(204)
    found = await place.ask("POST", "/v1.41/volumes/prune")
    assert found == (200, {"VolumesDeleted": ["data"], "SpaceReclaimed": 7})


async def test_e33_of_her_own_there_is_a_bound(place: Farm) -> None:
    rows = [{**HERS["Images"][0], "Labels": {"a": "x" * (ROW_BYTES // 2)}}] * 66
    place.engine.answers["/system/df"] = as_json({**HERS, "Images": rows})
    status, found = await place.get("/v1.41/system/df")
    assert (status, "too large" in found["message"]) == (502, True)


async def test_what_is_too_large_is_not_told_to_try_again(place: Farm) -> None:
    said = "DS01: The engine's answer is too large (engine.large). Ask for less: use a filter."
    rows = [{**HERS["Images"][0], "Created": 1, "Labels": {"a": "x" * (ROW_BYTES // 2)}}] * 66
    place.engine.answers |= {
        "/system/df": as_json({**HERS, "Images": rows}), "/images/json": as_json(rows),
        f"{MINE}/top": plain(200, b" " * (JSON_BYTES + 1)),
    }  # fmt: skip
    for path in ("/v1.41/system/df", "/v1.41/images/json", f"/v1.41/containers/{MINE}/top"):
        assert await place.get(path) == (502, {"message": said})


@pytest.mark.parametrize(
    "answer",
    [told(1, Images=5), told(1, Images=[1]), told(1, Images={"a": {}}), told(1, Volumes=[[]]), [HERS], 5, "x"],
)
async def test_what_cannot_be_read_is_told(place: Farm, answer: Any) -> None:
    place.engine.answers["/system/df"] = as_json(answer)
    status, found = await place.get("/v1.41/system/df")
    assert (status, found["message"].startswith("DS01: The engine's answer is no")) == (502, True), found


async def test_what_is_cut_short_is_told(place: Farm) -> None:
    whole = json.dumps(told(1)).encode()
    for end in (1, len(whole) // 2, len(whole) - 1):
        place.engine.answers["/system/df"] = plain(200, whole[:end])
        assert (await place.get("/v1.41/system/df"))[0] == 502


async def test_what_the_engine_refuses_is_told_as_it_says(place: Farm) -> None:
    place.engine.answers["/system/df"] = as_json({"message": "a disk usage operation is already running"}, 409)
    assert await place.get("/v1.41/system/df") == (409, {"message": "a disk usage operation is already running"})


async def test_a_newer_client_reads_sums(place: Farm) -> None:
    place.facts.api = (1, 53)
    place.engine.answers["/system/df"] = as_json(told(3))
    status, found = await place.get("/v1.53/system/df?type=image&type=container&type=build-cache")
    assert (status, place.engine.asked[-1].partition("?")[0]) == (200, "GET /v1.51/system/df")
    assert found == {
        "ImageUsage": {"TotalCount": 1, "ActiveCount": 0, "TotalSize": 700, "Reclaimable": 500},
        "ContainerUsage": {"TotalCount": 1, "ActiveCount": 1, "TotalSize": 30, "Reclaimable": 0},
        "BuildCacheUsage": {"TotalCount": 1, "ActiveCount": 0, "TotalSize": 50, "Reclaimable": 50},
    }
    status, found = await place.get("/v1.52/system/df?verbose=1")
    assert [row["Id"] for row in found["ContainerUsage"]["Items"]] == [MINE]
    assert found["VolumeUsage"] == {"TotalCount": 0, "ActiveCount": 0, "TotalSize": 0, "Reclaimable": 0, "Items": []}


BUSY = {"message": "a disk usage operation is already running"}


@pytest.mark.parametrize(
    ("path", "list_"),
    [
        ("/build/prune", "/system/df"), ("/volumes/prune", "/volumes"), ("/images/prune", "/containers/json"),
        ("/images/prune", "/images/json"),
    ],
)  # fmt: skip
async def test_what_cannot_be_pruned_without_a_list_says_why_in_the_engines_words(
    place: Farm, path: str, list_: str
) -> None:
    place.engine.answers |= {"/containers/json": as_json([]), list_: as_json(BUSY, 409)}
    assert await place.ask("POST", f"/v1.41{path}") == (409, BUSY)


@pytest.mark.parametrize(
    ("second", "answer"),
    [
        (as_json({"message": "no"}, 409), (200, {"CachesDeleted": ["mine"], "SpaceReclaimed": 50})),
        (as_json({"CachesDeleted": ["other"], "SpaceReclaimed": 7}),
         (200, {"CachesDeleted": ["mine", "other"], "SpaceReclaimed": 57})),
    ],
)  # fmt: skip
async def test_of_the_cache_what_went_is_told_whatever_comes_after(place: Farm, second: bytes, answer: Any) -> None:
    cached(place, "mine", "other")
    place.engine.answers["/build/prune"] = as_json({"CachesDeleted": ["mine"], "SpaceReclaimed": 50})
    place.engine.after["/build/prune"] = {"/build/prune": second}
    assert await place.ask("POST", "/v1.41/build/prune") == answer


async def test_why_nothing_of_the_cache_went_is_told_as_the_engine_says(place: Farm) -> None:
    cached(place, "mine")
    place.engine.answers["/build/prune"] = as_json({"message": "the disk is read-only"}, 500)
    assert await place.ask("POST", "/v1.41/build/prune") == (500, {"message": "the disk is read-only"})


def cached(place: Farm, *ids: str) -> None:
    """Hers in BuildKit's cache, the latest first."""
    at = "2026-03-02T10:00:0{}Z"
    rows = [{"ID": each, "Size": 7, "CreatedAt": at.format(9 - n), "InUse": False} for n, each in enumerate(ids)]
    place.daemon.answers[f"/door/users/{UID}/cache"] = as_json({"ids": list(ids)})
    place.engine.answers["/system/df"] = as_json({**HERS, "BuildCache": rows})
