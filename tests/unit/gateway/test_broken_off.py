"""What was removed before a removal breaks off is told to ds01d all the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ds01.wire.door import DoorImage, DoorUser
from ds01.wire.holdings import DoorVolume
from tests.unit.gateway.farm import UID, Farm, as_json, farm, plain

CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"
FIRST, SECOND = f"data._.{UID}", f"more._.{UID}"
IMAGE = "sha256:1"
HER = DoorUser(uid=UID, gid=UID, login="mallory", admin=False)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.daemon.answers |= {"/door/dropped": plain(204), "/door/removals/commit": as_json([])}
        yield made


async def test_a_prune_of_volumes_that_breaks_off(place: Farm) -> None:
    for stored in (FIRST, SECOND):
        place.registry.learn(DoorVolume(id=stored, uid=UID, name=stored.partition(".")[0]))
    rows = {"Volumes": [{"Name": FIRST}, {"Name": SECOND}]}
    place.engine.answers |= {
        f"/volumes/{FIRST}": plain(204), f"/volumes/{SECOND}": CUT, "/volumes": as_json(rows),
        "/system/df": as_json(rows),
    }  # fmt: skip
    assert (await place.ask("POST", "/v1.41/volumes/prune"))[0] == 502
    assert [json.loads(told)["ids"] for told in place.daemon.told if b'"ids"' in told] == [[FIRST]]
    assert place.registry.volume(HER, "data") is None
    assert place.registry.volume(HER, "more") is not None


async def test_a_removal_of_an_image_that_breaks_off(place: Farm) -> None:
    place.registry.learn(DoorImage(id=IMAGE, owners=(f"{UID}:0",), refs={"bb:latest": "everybody"}))
    place.daemon.answers["/door/removals"] = as_json({"targets": ["bb:latest", IMAGE]})
    place.engine.answers |= {
        f"/images/{IMAGE}": CUT, "/images/bb:latest": as_json([{"Untagged": "bb:latest"}]),
        "/images/bb:latest/json": as_json({"Id": IMAGE, "RepoTags": ["bb:latest"]}),
    }  # fmt: skip
    assert (await place.ask("DELETE", "/v1.41/images/bb:latest"))[0] == 502
    assert "POST /v1/door/removals/commit" in place.daemon.asked
    assert place.registry.image(HER, IMAGE) is None
