"""Nobody is refused for what the gateway believes of an engine or a ds01d that it has not asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ds01.gateway.engine import RENEWED_SECONDS
from tests.unit.gateway.farm import Farm, as_json, farm, plain

KNOWN = {"buildkit": True, "gpus": False}
LIST = "/v1.45/containers/json"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    """The gateway began before the engine, which is a new one, and before ds01d."""
    async with farm(tmp_path) as made:
        made.engine.answers = {
            "/_ping": plain(200, b"OK"), "/containers/json": as_json([]),
            "/version": as_json({"ApiVersion": "1.45", "Version": "26.1.5"}),
        }  # fmt: skip
        made.daemon.answers["/door/engine"] = as_json(KNOWN)
        yield made


def looks(place: Farm) -> int:
    return sum(asked.endswith("/version") for asked in place.engine.asked)


async def test_a_version_that_the_engine_speaks_is_not_too_new(place: Farm) -> None:
    assert await place.get(LIST) == (200, [])
    assert place.facts.version == (26, 1, 5)


async def test_one_before_the_oldest_is_refused_without_asking(place: Farm) -> None:
    status, found = await place.get("/v1.20/containers/json")
    assert (status, "Minimum supported API version is 1.24" in found["message"]) == (400, True)
    assert place.engine.asked == []


async def test_one_that_it_does_not_speak_is_and_it_is_not_asked_for_each(place: Farm) -> None:
    place.facts._clock = lambda: place.now
    for _ in range(3):
        status, found = await place.get("/v1.46/containers/json")
        assert (status, "Maximum supported API version is 1.45" in found["message"]) == (400, True)
    assert looks(place) == 1
    place.now += RENEWED_SECONDS
    await place.get("/v1.46/containers/json")
    assert looks(place) == 2


@pytest.mark.parametrize(("buildkit", "says"), [(True, b"101 UPGRADED"), (False, b"BuildKit cannot be used")])
async def test_buildkit_is_refused_where_ds01d_says_so(place: Farm, buildkit: bool, says: bytes) -> None:
    place.daemon.answers["/door/engine"] = as_json({**KNOWN, "buildkit": buildkit})
    place.engine.answers["/grpc"] = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    head = b"POST /v1.41/grpc HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert says in await place.send(head)
