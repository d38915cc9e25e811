"""Before a long body is taken, ds01d is asked for room: for an image, or for bytes alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm

ROOM = f"/v1/door/users/{UID}/room"
FULL = {"error": {"code": "disk.quota", "message": "There is no room."}}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.daemon.answers[f"/door/users/{UID}/room"] = as_json(FULL, 507)
        yield made


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("PUT", f"/v1.41/containers/{MINE}/archive?path=/tmp", f"GET {ROOM}?image=0"),
        ("POST", "/v1.41/images/load", f"GET {ROOM}?image=1"),
    ],
)  # fmt: skip
async def test_who_may_have_no_more_images_copies_files_all_the_same(
    place: Farm, method: str, path: str, asked: str
) -> None:
    status, _ = await place.ask(method, path)
    assert status == 507
    assert [each for each in place.daemon.asked if ROOM in each] == [asked]
