"""A start that happened is told as one, also where ds01d cannot be told, or cannot write it down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

OF = f"/v1.41/containers/{MINE}"
FULL = as_json({"error": {"code": "disk.full", "message": "The disk of the ledger is full."}}, 507)
OVER = as_json({"error": {"code": "container.unknown", "message": "This start is over."}}, 404)
ASIDE = as_json({"error": {"code": "container.out-of-service", "message": "'web' is out of service."}}, 409)
UNSURE = as_json({"error": {"code": "engine.down", "message": "The engine does not answer."}}, 503)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        container = {"id": MINE, "uid": UID, "name": "web", "stored_name": f"web._.{UID}", "image_ref": "bb"}
        made.daemon.answers |= {
            "/door/starts": as_json({"ticket": "t", "container": container}), "/door/gone": plain(204),
        }  # fmt: skip
        made.engine.answers |= {
            "/start": plain(204), "/restart": plain(204),
            f"/{MINE}/json": as_json({"State": {"Status": "running"}, "HostConfig": {"AutoRemove": True}}),
        }  # fmt: skip
        yield made


@pytest.mark.parametrize("answer", [b"", FULL, OVER])
@pytest.mark.parametrize("how", ["start", "restart"])
async def test_a_start_that_ds01d_does_not_hear_of_is_one(place: Farm, how: str, answer: bytes) -> None:
    place.daemon.answers["/door/starts/commit"] = answer
    with capture_logs() as logs:
        assert await place.ask("POST", f"{OF}/{how}") == (204, b"")
    assert [each["container"] for each in logs if each["event"] == "start.unwritten"] == [MINE]


@pytest.mark.parametrize(("answer", "status"), [(ASIDE, 409), (UNSURE, 503)])
@pytest.mark.parametrize("how", ["start", "restart"])
async def test_one_that_ds01d_undoes_is_none(place: Farm, how: str, answer: bytes, status: int) -> None:
    place.daemon.answers["/door/starts/commit"] = answer
    assert (await place.ask("POST", f"{OF}/{how}"))[0] == status
