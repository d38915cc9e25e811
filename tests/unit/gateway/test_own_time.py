"""What the engine takes its time for, on a loop whose time is moved on: a stop with a long grace, a large removal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ds01.wire.holdings import DoorVolume
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, plain
from tests.unit.gateway.test_quiet_hour import HOUR, Ahead, at_a_gateway, soon

MINUTE = 60
CONTAINER = {"id": MINE, "uid": UID, "name": "web", "stored_name": f"web._.{UID}", "image_ref": "bb"}
VOLUME = f"data._.{UID}"
OVER = as_json({"error": {"code": "container.not_found", "message": "This start is over."}}, 404)
IMAGE = as_json([{"Deleted": "sha256:1"}])
STOP = f"POST /containers/{MINE}/stop?t=3600"
ASKED = {
    f"POST /containers/{MINE}/restart?t=3600": (f"/{MINE}/restart", plain(204), "/starts/commit"),
    f"DELETE /containers/{MINE}": (f"/{MINE}", plain(204), "/gone"),
    "DELETE /images/bb": ("/images/sha256:1", IMAGE, "/removals/commit"),
    "DELETE /volumes/data": (f"/{VOLUME}", plain(204), "/dropped"),
    "POST /containers/prune": ("/prune", as_json({"ContainersDeleted": [MINE], "SpaceReclaimed": 1}), "/gone"),
}
"""What is asked, where the engine does it, how it answers, and what ds01d is then told."""


def slow(place: Farm, where: str) -> None:
    """There the engine is silent."""
    place.registry.learn(DoorVolume(id=VOLUME, uid=UID, epoch=0, name="data"))
    place.daemon.answers |= {
        "/door/gone": plain(204), "/door/starts/commit": plain(204), "/door/dropped": plain(204),
        "/door/starts": as_json({"ticket": "t", "container": CONTAINER}), "/door/removals/commit": as_json([]),
        "/door/removals": as_json({"targets": ["sha256:1"]}),
    }  # fmt: skip
    place.engine.answers = {where: b"", "/bb/json": as_json({"Id": "sha256:1", "RepoTags": ["bb:latest"]})}
    place.engine.held = (where,)


async def begun(place: Farm, what: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that asked for it, once the engine was asked."""
    reader, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(f"{what} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n".encode())
    await until(lambda: bool(place.engine.open))
    return reader, writer


async def until(true: Callable[[], bool]) -> None:
    """Wait for it, without any time to be skipped."""
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


def told(place: Farm, what: str) -> bool:
    return any(asked.endswith(what) for asked in place.daemon.asked)


def on_such_a_loop(folder: Path, where: str, test: Callable[[Farm, Ahead], Awaitable[None]]) -> None:
    async def slowed(place: Farm, loop: Ahead) -> None:
        slow(place, where)
        await test(place, loop)

    at_a_gateway(folder, slowed)


@pytest.mark.parametrize("what", [STOP, *ASKED])
def test_a_client_that_waits_gets_what_the_engine_says_in_an_hour(tmp_path: Path, what: str) -> None:
    where, answer, heard = ASKED.get(what, (f"/{MINE}/stop", plain(204), "/gone"))

    async def test(place: Farm, loop: Ahead) -> None:
        reader, writer = await begun(place, what)
        await loop.skip(HOUR)
        place.engine.open[-1][1].write(answer)
        assert (await soon(reader.read())).startswith(answer[:12])
        assert told(place, heard)
        writer.close()

    on_such_a_loop(tmp_path, where, test)


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize(("minutes", "heard_of"), [(1, True), (3, False)])
def test_what_a_client_left_that_had_waited_long_is_written_down_when_it_comes_soon(
    tmp_path: Path, what: str, minutes: int, heard_of: bool
) -> None:
    """It is not waited for without end: ds01d sees by itself what came of it."""
    where, answer, heard = ASKED[what]

    async def test(place: Farm, loop: Ahead) -> None:
        _, writer = await begun(place, what)
        await loop.skip(10 * MINUTE)
        place.daemon.asked.clear()
        writer.close()
        await asyncio.sleep(0.05)
        await loop.skip(minutes * MINUTE)
        said, says = place.engine.open[-1]
        if heard_of:
            says.write(answer)
            await until(lambda: told(place, heard))
        else:
            assert await soon(said.read()) == b""
        assert told(place, heard) is heard_of

    on_such_a_loop(tmp_path, where, test)


def test_a_restart_that_takes_longer_than_its_grant_lasts_is_one(tmp_path: Path) -> None:
    """By then ds01d has seen by itself that the container runs."""
    what = f"POST /containers/{MINE}/restart?t=3600"

    async def test(place: Farm, loop: Ahead) -> None:
        place.daemon.answers["/door/starts/commit"] = OVER
        reader, writer = await begun(place, what)
        await loop.skip(HOUR)
        place.engine.open[-1][1].write(plain(204))
        assert (await soon(reader.read())).startswith(b"HTTP/1.1 204")
        assert told(place, "/starts/commit")
        writer.close()

    on_such_a_loop(tmp_path, f"/{MINE}/restart", test)
