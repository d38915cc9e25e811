"""A change that was asked of the engine is on the record, however its connection ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ds01.wire.holdings import DoorNetwork
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

STOP = f"POST /v1.41/containers/{MINE}/stop"
RAW = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.engine.answers |= {"/stop": plain(204)}
        yield made


async def recorded(logs: list[Any], count: int = 1) -> list[tuple[str, str, str]]:
    """Outcome, rule and reason of each record, once there are so many."""
    async with asyncio.timeout(30):
        while len(found := [line for line in logs if line["event"] == "request"]) < count:
            await asyncio.sleep(0.01)
    return [(line["outcome"], line["rule"], line["reason"]) for line in found]


async def test_what_may_last_for_days_is_recorded_when_it_begins(place: Farm) -> None:
    place.engine.answers |= {"/attach": RAW}
    place.engine.held = ("/attach",)
    asked = f"POST /v1.41/containers/{MINE}/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: d\r\n"
    with capture_logs() as logs:
        reader, writer = await asyncio.open_unix_connection(place.socket)
        writer.write(f"{asked}Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n".encode())
        await reader.readuntil(b"hello")
        assert await recorded(logs) == [("allowed", "containers.attach", "")]
        await place.engine.close()
        await reader.read()
        writer.close()
    assert len(await recorded(logs)) == 1


async def test_who_leaves_before_the_end_is_recorded(place: Farm) -> None:
    asked = asyncio.Event()
    place.daemon.answers[f"/door/users/{UID}/room"] = as_json({"left_bytes": None})
    place.may_copy()
    place.engine.answers |= {f"{MINE}/json": as_json({"State": {"Running": False}}), "/archive": b""}
    place.engine.upon["/archive"], place.engine.held = asked.set, ("/archive",)
    with capture_logs() as logs:
        _, writer = await asyncio.open_unix_connection(place.socket)
        writer.write(f"PUT /v1.41/containers/{MINE}/archive?path=/tmp HTTP/1.1\r\nHost: d\r\n"
                     "Content-Length: 10240\r\n\r\n".encode() + bytes(512))  # fmt: skip
        async with asyncio.timeout(30):
            await asked.wait()
        writer.transport.abort()
        assert await recorded(logs) == [("allowed", "archive.put", "the connection ended before the answer")]


async def test_an_engine_that_goes_away_undoes_nothing(place: Farm) -> None:
    place.engine.up = False
    with capture_logs() as logs:
        status, _ = await place.ask("POST", STOP.removeprefix("POST "))
        assert status >= 500
        ((outcome, rule, reason),) = await recorded(logs)
    assert (outcome, rule) == ("allowed", "containers.stop")
    assert "engine" in reason


async def test_what_the_engine_did_is_recorded_though_the_gateway_makes_a_mistake_with_its_answer(place: Farm) -> None:
    amounts = {"cpus": 1, "memory_bytes": 1, "swap_bytes": 0, "pids": 1, "devices": False}
    place.daemon.answers["/door/amounts"], place.engine.answers["/update"] = as_json(amounts), as_json({"Warnings": 7})
    with capture_logs() as logs:
        assert (await place.ask("POST", "/containers/web/update", {"Memory": 1 << 30}))[0] == 500
        assert await recorded(logs, 2) == [
            ("allowed", "containers.update", "a mistake of DS01's broke it off"),
            ("denied", "internal", "DS01 made a mistake with this request"),
        ]
    told = [(line["path"], line["subject"]) for line in logs if line["event"] == "request"]
    assert told == [("/containers/web/update", MINE)] * 2


async def test_what_the_engine_did_is_recorded_though_ds01d_is_away_by_then(place: Farm) -> None:
    def away() -> None:
        place.daemon.up = False

    started = {"ticket": "t", "container": {"id": MINE, "uid": UID, "name": "web", "stored_name": f"web._.{UID}",
                                            "image_ref": "bb"}}  # fmt: skip
    place.daemon.answers["/door/starts"] = as_json(started)
    place.engine.answers["/start"], place.engine.upon["/start"] = plain(204), away
    with capture_logs() as logs:
        status, _ = await place.ask("POST", f"/v1.41/containers/{MINE}/start")
        assert status == 204
        assert await recorded(logs) == [("allowed", "containers.start", "")]
        assert [line["container"] for line in logs if line["event"] == "start.unwritten"] == [MINE]


async def test_what_was_not_read_was_not_allowed(place: Farm) -> None:
    with capture_logs() as logs:
        _, writer = await asyncio.open_unix_connection(place.socket)
        writer.write(b"POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 90\r\n\r\n{")
        writer.write_eof()
        writer.close()
        await place.ask("POST", STOP.removeprefix("POST "))
        assert await recorded(logs) == [("allowed", "containers.stop", "")]
    assert not any("create" in asked for asked in place.engine.asked)


async def test_what_a_container_does_not_get_on_a_network_is_recorded(place: Farm) -> None:
    place.registry.learn(DoorNetwork(id="n1", uid=UID, epoch=0, name="lab", stored=f"lab._.{UID}"))
    place.engine.answers["/networks/n1/connect"] = plain(200)
    asked = {"Container": MINE, "EndpointConfig": {"MacAddress": "02:42:ac:11:00:02"}}
    with capture_logs() as logs:
        assert (await place.ask("POST", "/v1.41/networks/lab/connect", asked))[0] == 200
        await recorded(logs)
    assert [line["changes"] for line in logs if line["event"] == "request"] == [
        ["create.network: an address of a network endpoint left out"]
    ]
