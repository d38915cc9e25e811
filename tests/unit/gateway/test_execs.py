"""Commands in containers: remembered, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ds01.gateway.execs import REMEMBERED, WAITING, Execs
from ds01.gateway.pace import EXEC_BYTES, PATIENCE_SECONDS, Costly
from tests.unit.gateway.farm import MINE, Farm, as_json, farm, plain

OF = f"/v1.41/containers/{MINE}"
MADE: dict[str, Any] = {"Cmd": ["true"]}
STARTED: dict[str, Any] = {"Detach": True}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    """Where the engine makes one command after the other, and starts each."""
    async with farm(tmp_path) as made:
        made.engine.answers |= {"/containers/json": as_json([]), "/start": plain(204)}
        ids = iter(range(10_000))

        def following() -> None:
            made.engine.answers["/exec"] = as_json({"Id": f"{next(ids):064}"}, 201)

        following()
        made.engine.upon["/exec"] = following
        there(made, *(f"{number:064}" for number in range(2 * WAITING)))
        yield made


def there(place: Farm, *ids: str) -> None:
    """What the engine says is in the container."""
    place.engine.answers[f"{MINE}/json"] = as_json({"ExecIDs": list(ids) or None})


async def make(place: Farm) -> tuple[int, Any]:
    return await place.ask("POST", f"{OF}/exec", MADE)


def test_the_latest_are_remembered() -> None:
    execs = Execs()
    for number in range(REMEMBERED + 2):
        execs.learn(f"e{number}", f"c{number}")
    assert [execs.container(f"e{number}") for number in (0, 1, 2, REMEMBERED + 1)] == [
        "",
        "",
        "c2",
        f"c{REMEMBERED + 1}",
    ]
    assert execs.container("never") == ""


async def test_so_many_are_made_and_not_started_and_no_more(place: Farm) -> None:
    for _ in range(WAITING):
        assert (await make(place))[0] == 201
    status, said = await make(place)
    assert (status, "never started" in said["message"]) == (429, True)
    assert (await place.ask("POST", f"/v1.41/exec/{0:064}/start", STARTED))[0] == 204
    assert (await make(place))[0] == 201
    assert (await make(place))[0] == 429


async def test_those_that_are_gone_with_the_container_do_not_count(place: Farm) -> None:
    for _ in range(WAITING):
        await make(place)
    there(place)
    assert (await make(place))[0] == 201


async def test_who_starts_what_she_makes_notices_nothing(place: Farm) -> None:
    for number in range(2 * WAITING):
        assert (await make(place))[0] == 201
        assert (await place.ask("POST", f"/v1.41/exec/{number:064}/start", STARTED))[0] == 204
    assert not [asked for asked in place.engine.asked if asked.endswith(f"{MINE}/json")]


async def test_one_that_the_engine_does_not_start_waits_on(place: Farm) -> None:
    place.engine.answers["/start"] = as_json({"message": "Container is paused"}, 409)
    for number in range(WAITING):
        await make(place)
        assert (await place.ask("POST", f"/v1.41/exec/{number:064}/start", STARTED))[0] == 409
    assert (await make(place))[0] == 429


async def test_many_at_once_are_not_more(place: Farm) -> None:
    found = await asyncio.gather(*(make(place) for _ in range(2 * WAITING)))
    assert sum(status == 201 for status, _ in found) == WAITING


async def test_over_a_long_time_they_count_by_their_size(place: Farm) -> None:
    rate, pieces = Costly.EXECS, 16
    large = {**MADE, "Env": ["A=" + "x" * (pieces - 1) * EXEC_BYTES]}
    place.engine.upon.clear()
    for _ in range(int(rate.burst) // pieces):
        assert (await place.ask("POST", f"{OF}/exec", large))[0] == 201
    assert place.waited == []
    assert (await place.ask("POST", f"{OF}/exec", large))[0] == 201
    assert 0 < place.waited[0] <= PATIENCE_SECONDS
    place.now += 2 * pieces / rate.per_second
    assert (await place.ask("POST", f"{OF}/exec", large))[0] == 201
    assert len(place.waited) == 1
