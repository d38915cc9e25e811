"""Whatever fails on the way of a create, and what breaks it off, gives the grant back and leaves no container."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ds01.gateway import ongoing
from tests.unit.gateway.farm import UID, Farm, Scripted, as_json, farm, plain

NEW = "d" * 64
CREATE, REMOVE = "POST /v1.41/containers/create?name=x._.1002", f"DELETE /v1.41/containers/{NEW}?force=1&v=1"
ABORT = "POST /v1/door/creates/abort"
GRANT = {
    "ticket": "t", "stored_name": f"x._.{UID}", "labels": {}, "cgroup_parent": "/p", "network": "n", "cpus": 1.0,
    "memory_bytes": 1, "swap_bytes": 0, "shm_bytes": 1, "pids": 1, "stop_grace_seconds": 1,
}  # fmt: skip


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.daemon.answers |= {"/door/creates": as_json(GRANT), "/creates/abort": plain(204)}
        made.engine.answers = {
            "/images/bb/json": as_json({"Id": "sha256:1"}), "/containers/create": as_json({"Id": NEW}, 201),
            NEW: plain(204),
        }  # fmt: skip
        yield made


async def create(place: Farm) -> int:
    return (await place.ask("POST", "/v1.41/containers/create?name=x", {"Image": "bb"}))[0]


async def cancelled(place: Farm, waits: Scripted) -> None:
    """The gateway stops while one of its neighbours does not answer."""
    going = asyncio.create_task(create(place))
    async with asyncio.timeout(10):
        while not waits.open:
            await asyncio.sleep(0.001)
    await place.stop()
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)


@pytest.mark.parametrize("body", [b"no json", b"[]", b"{}", b'{"Id": ""}'])
async def test_an_answer_that_says_no_id_gives_the_grant_back(place: Farm, body: bytes) -> None:
    place.engine.answers["/containers/create"] = plain(201, body)
    assert await create(place) == 502
    assert place.daemon.asked[-1] == ABORT


async def test_a_gateway_that_stops_while_the_engine_makes_it_gives_the_grant_back(place: Farm) -> None:
    place.engine.answers["/containers/create"] = b""
    place.engine.held = ("/containers/create",)
    await cancelled(place, place.engine)
    assert (place.engine.asked[-1], place.daemon.asked[-1]) == (CREATE, ABORT)


async def test_a_gateway_that_stops_while_it_is_written_down_removes_it(place: Farm) -> None:
    place.daemon.answers["/creates/commit"] = b""
    place.daemon.held = ("/creates/commit",)
    await cancelled(place, place.daemon)
    assert (place.engine.asked[-1], place.daemon.asked[-1]) == (REMOVE, ABORT)


async def test_an_engine_that_does_not_answer_keeps_no_gateway_from_its_end(
    place: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ongoing, "LAST_SECONDS", 0.05)
    place.daemon.answers["/creates/commit"] = place.engine.answers[NEW] = b""
    place.daemon.held, place.engine.held = ("/creates/commit",), (NEW,)
    async with asyncio.timeout(10):
        await cancelled(place, place.daemon)
    assert place.engine.asked[-1] == REMOVE
