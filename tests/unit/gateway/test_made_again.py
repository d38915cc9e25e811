"""A volume that is made again while it is removed: ds01d says that it is there, and so it is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ds01.wire.holdings import DoorVolume
from tests.unit.gateway.farm import UID, Farm, as_json, farm, plain

VOLUME = DoorVolume(id=f"data._.{UID}", uid=UID, epoch=0, name="data")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.registry.learn(VOLUME)
        made.daemon.answers["/door/dropped"] = plain(204)
        made.engine.answers |= {
            f"/volumes/{VOLUME.id}": plain(204), "/volumes": as_json({"Volumes": [{"Name": VOLUME.id}]}),
            "/system/df": as_json({"Volumes": []}),
        }  # fmt: skip
        yield made


async def shown(place: Farm) -> list[str]:
    return [row["Name"] for row in (await place.get("/v1.41/volumes"))[1]["Volumes"]]


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/volumes/data"), ("POST", "/volumes/prune")])
async def test_what_ds01d_tells_again_is_not_forgotten(place: Farm, method: str, path: str) -> None:
    place.daemon.upon["/door/dropped"] = lambda: place.registry.learn(VOLUME)
    assert (await place.ask(method, f"/v1.41{path}"))[0] < 300
    assert await shown(place) == ["data"]


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/volumes/data"), ("POST", "/volumes/prune")])
async def test_what_is_gone_is_forgotten(place: Farm, method: str, path: str) -> None:
    assert (await place.ask(method, f"/v1.41{path}"))[0] < 300
    assert await shown(place) == []
