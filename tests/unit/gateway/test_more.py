"""Where a sentence says that ``ds01 why-refused`` tells more, the refusal is on the record; otherwise it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ds01.domain.dockerpolicy.verdict import MORE
from ds01.gateway.identity import too_many
from tests.unit.gateway.farm import MINE, Farm, as_json, farm, plain

PULL = "/v1.41/images/create?fromImage=lab/tool&tag=1"
HEAVY = as_json({"error": {"code": "image.heavy", "message": "The image lab/tool:1 was taken away again."}}, 409)
DONE = b'{"status": "Status: Downloaded newer image for lab/tool:1"}\r\n'
LARGE = b'{"id": "a", "status": "Downloading", "progressDetail": {"total": 1000}}\r\n'


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.may_pull()
        yield made


async def told(place: Farm, method: str, path: str) -> tuple[bool, list[Any]]:
    """Whether the answer says that more is told, and the rules of the refusals on the record."""
    with capture_logs() as logs:
        _, answer = await place.ask(method, path)
        place.audit.put_down()
    said = answer if isinstance(answer, bytes) else str(answer).encode()
    return MORE.encode() in said, [line["rule"] for line in logs if line.get("outcome") == "denied"]


async def test_a_pull_of_what_may_not_stay(place: Farm) -> None:
    place.engine.answers["/images/create"] = plain(200, DONE)
    place.daemon.answers["/door/writes/commit"] = HEAVY
    assert await told(place, "POST", PULL) == (True, ["image.heavy"])


async def test_a_pull_that_is_broken_off(place: Farm) -> None:
    place.engine.answers["/images/create"] = plain(200, LARGE + DONE)
    assert await told(place, "POST", PULL) == (True, ["disk.quota"])


async def test_what_the_registry_says_is_no_refusal_of_ours(place: Farm) -> None:
    place.engine.answers["/images/create"] = plain(200, b'{"errorDetail": {"message": "x"}, "error": "x"}\r\n')
    assert await told(place, "POST", PULL) == (False, [])


async def test_an_archive_that_cannot_be_read(place: Farm) -> None:
    place.engine.answers["/images/load"] = plain(200)
    assert await told(place, "POST", "/v1.41/images/load") == (True, ["archive.tar"])


async def test_an_engine_that_is_away(place: Farm) -> None:
    place.engine.up = False
    assert await told(place, "GET", f"/v1.41/containers/{MINE}/json") == (False, [])


async def test_a_ds01d_that_is_away(place: Farm) -> None:
    place.daemon.up = False
    assert await told(place, "POST", PULL) == (False, [])


def test_too_many_connections() -> None:
    assert MORE not in too_many().message
