"""A name that the engine has given, and an image that it has made, are not refused where ds01d hears of them later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ds01.gateway.held import UNWRITTEN
from ds01.wire.door import DoorImage
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

TAG, COMMIT = "/v1.41/images/bb:latest/tag?repo=mine", f"/v1.41/commit?container={MINE}&repo=mine"
FULL = as_json({"error": {"code": "disk.full", "message": "The disk of the ledger is full."}}, 507)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.may_pull()
        made.registry.learn(DoorImage(id="sha256:1", owners=(f"{UID}:0",), refs={"bb:latest": "everybody"}))
        made.engine.answers |= {
            "/images/bb:latest/json": as_json({"Id": "sha256:1", "RepoTags": ["bb:latest"]}), "/tag": plain(201),
            "/commit": as_json({"Id": "sha256:2"}, 201),
        }  # fmt: skip
        yield made


def away(place: Farm, path: str) -> None:
    """ds01d goes away when it is asked this."""

    def go() -> None:
        place.daemon.up = False

    place.daemon.upon[path] = go


@pytest.mark.parametrize("path", [TAG, COMMIT])
async def test_what_the_engine_did_is_hers_as_soon_as_ds01d_is_back(place: Farm, path: str) -> None:
    away(place, "/door/writes/commit")
    status, found = await place.ask("POST", path)
    assert (status, found["message"]) == (503, f"DS01: {UNWRITTEN} (ds01d.away). Try again in a moment.")


@pytest.mark.parametrize("path", [TAG, COMMIT])
async def test_so_it_is_where_ds01d_has_no_room(place: Farm, path: str) -> None:
    place.daemon.answers["/door/writes/commit"] = FULL
    status, found = await place.ask("POST", path)
    assert (status, UNWRITTEN in found["message"]) == (503, True)


@pytest.mark.parametrize("path", [TAG, COMMIT])
async def test_what_was_never_begun_is_refused(place: Farm, path: str) -> None:
    away(place, "/door/writes")
    status, found = await place.ask("POST", path)
    assert (status, "nothing can be granted" in found["message"]) == (503, True)


@pytest.mark.parametrize("path", [TAG, COMMIT])
async def test_what_the_engine_refuses_is_not_hers_later(place: Farm, path: str) -> None:
    place.engine.answers |= {"/tag": as_json({"message": "no"}, 409), "/commit": as_json({"message": "no"}, 409)}
    away(place, "/door/writes/commit")
    status, found = await place.ask("POST", path)
    assert (status, UNWRITTEN not in found["message"]) == (503, True)
