"""While ds01d has no room to write anything down, what fills the disk can be removed, and nothing else is changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.wire.door import DoorImage
from ds01.wire.holdings import DoorVolume
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

FULL = as_json({"error": {"code": "disk.full", "message": "The disk of the ledger is full."}}, 507)
IMAGE, VOLUME = "sha256:1", f"data._.{UID}"
TAKEN = [{"Untagged": "bb:latest"}, {"Deleted": IMAGE}]
AT = "2026-03-02T10:00:00Z"
RECORD = {
    "ID": "r1", "Type": "regular", "InUse": False, "Shared": False, "Size": 7, "CreatedAt": AT, "LastUsedAt": AT,
    "UsageCount": 1, "Parents": None, "Description": "x",
}  # fmt: skip


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.registry.learn(DoorVolume(id=VOLUME, uid=UID, epoch=0, name="data"))
        made.registry.learn(DoorImage(id=IMAGE, owners=(f"{UID}:0",), refs={"bb:latest": "everybody"}))
        made.daemon.answers |= {
            "/door/audit": FULL, "/door/dropped": FULL, "/door/removals/commit": FULL, "/door/gone": FULL,
            "/door/removals": as_json({"targets": [IMAGE]}), f"/users/{UID}/cache": as_json({"ids": ["r1"]}),
        }  # fmt: skip
        made.engine.answers |= {
            "/images/json": as_json([{"Id": IMAGE, "RepoTags": ["bb:latest"], "Size": 7, "Created": 1}]),
            "/images/bb:latest/json": as_json({"Id": IMAGE, "RepoTags": ["bb:latest"]}),
            f"/images/{IMAGE}": as_json(TAKEN), f"/volumes/{VOLUME}": plain(204),
            "/volumes": as_json({"Volumes": [{"Name": VOLUME}]}), "/containers/json": as_json([]),
            "/containers/prune": as_json({"ContainersDeleted": [MINE], "SpaceReclaimed": 7}),
            "/system/df": as_json({"BuildCache": [RECORD], "Volumes": [{"Name": VOLUME, "UsageData": {"Size": 7}}]}),
            "/build/prune": as_json({"CachesDeleted": ["r1"], "SpaceReclaimed": 7}),
        }  # fmt: skip
        await made.ask("PUT", "/v1.41/nothing")
        await made.audit.flush()
        with pytest.raises(RefusedError):
            made.audit.check_writable()
        yield made


@pytest.mark.parametrize(
    ("method", "path", "status", "answer"),
    [
        ("DELETE", "/images/bb:latest", 200, TAKEN),
        ("POST", "/images/prune", 200, {"ImagesDeleted": TAKEN, "SpaceReclaimed": 7}),
        ("POST", "/build/prune", 200, {"CachesDeleted": ["r1"], "SpaceReclaimed": 7}),
        ("DELETE", "/volumes/data", 204, b""),
        ("POST", "/volumes/prune", 200, {"VolumesDeleted": ["data"], "SpaceReclaimed": 7}),
        ("POST", "/containers/prune", 200, {"ContainersDeleted": [MINE], "SpaceReclaimed": 7}),
    ],
)  # fmt: skip
async def test_what_fills_a_full_disk_can_be_removed(
    place: Farm, method: str, path: str, status: int, answer: object
) -> None:
    assert await place.ask(method, f"/v1.41{path}") == (status, answer)


@pytest.mark.parametrize("path", ["/images/bb:latest/tag?repo=mine", "/volumes/create", "/networks/prune"])
async def test_nothing_else_is_changed(place: Farm, path: str) -> None:
    assert (await place.ask("POST", f"/v1.41{path}"))[0] == 503


async def test_what_goes_on_the_record_is_refused_in_words_that_fit_what_only_reads(place: Farm) -> None:
    place.engine.answers["/export"] = plain(200, b"files")
    status, found = await place.get(f"/v1.41/containers/{MINE}/export")
    assert (status, found["message"]) == (
        503, "DS01: This goes on the record, which cannot be written right now: the disk of the ledger is full "
        "(audit.failing). Try again in a moment; if it stays, tell your admin. More: ds01 why-refused",
    )  # fmt: skip
    assert not any("/export" in asked for asked in place.engine.asked)
