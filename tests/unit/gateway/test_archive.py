"""Files are copied only where nothing that runs can lead an older engine astray, and nothing starts meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ds01.gateway import moves
from ds01.wire.door import DoorContainer
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

OTHER = "c" * 64
COPIED = b"6\r\ncopied\r\n0\r\n\r\n"
ARCHIVE = f"/v1.41/containers/{MINE}/archive?path=%2Fv%2Fsub"
STANDS: dict[str, Any] = {"State": {"Running": False}, "Mounts": []}
V = {"Type": "volume", "Name": f"v._.{UID}", "Destination": "/v"}
BIND = {"Type": "bind", "Source": "/run/ds01/lib/session", "Destination": "/run/ds01/session"}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    """Her container stands still, and has a volume."""
    async with farm(tmp_path) as made:
        container = {"id": MINE, "uid": UID, "name": "web", "stored_name": f"web._.{UID}", "image_ref": "bb"}
        made.daemon.answers |= {
            f"/door/users/{UID}/room": as_json({"left_bytes": None}),
            "/door/starts": as_json({"ticket": "t", "container": container}), "/starts/commit": as_json(container),
        }  # fmt: skip
        made.may_copy()
        made.engine.answers = {
            f"{MINE}/json": as_json({**STANDS, "Mounts": [V, BIND]}),
            "/containers/json": as_json([row(MINE, "exited")]), "/archive": plain(200, b"copied"), "/start": plain(204),
        }  # fmt: skip
        yield made


def row(container: str, state: str) -> dict[str, Any]:
    """A container in the engine's list."""
    return {"Id": container, "Names": [f"/db._.{UID}"], "State": state}


def others(place: Farm, *states: str) -> None:
    """Her other containers that have the volume, as the engine lists them."""
    rows = [row(MINE, "exited"), *(row(OTHER, state) for state in states)]
    place.engine.answers["/containers/json"] = as_json(rows)


def copied(place: Farm) -> bool:
    return any("/archive" in asked for asked in place.engine.asked)


@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT"])
@pytest.mark.parametrize("state", ["running", "paused", "restarting", "", "news"])
async def test_e29_nothing_is_copied_beside_what_runs_on_a_volume_of_it(place: Farm, method: str, state: str) -> None:
    others(place, "exited", state)
    status, found = await place.ask(method, ARCHIVE)
    assert status == 403
    assert not copied(place)
    if method != "HEAD":
        assert found["message"] == (
            "DS01: copying files with this engine while 'db' runs, which has a volume of this container, is not "
            "allowed here (archive.shared). Use ds01 cp with 'db', or stop it first. More: ds01 why-refused"
        )


async def test_e29_the_engine_is_asked_for_all_that_have_its_volumes(place: Farm) -> None:
    assert await place.get(ARCHIVE) == (200, COPIED)
    asked = next(asked for asked in place.engine.asked if "/containers/json" in asked)
    assert f"v._.{UID}" in asked
    assert "session" not in asked
    assert "all=1" in asked


async def test_e29_without_an_answer_nothing_is_copied(place: Farm) -> None:
    place.engine.answers["/containers/json"] = as_json({"message": "no"}, 500)
    assert (await place.get(ARCHIVE))[0] == 502
    assert not copied(place)


@pytest.mark.parametrize(("answered", "status"), [(plain(404, b"{}"), 404), (plain(500, b"{}"), 502)])
async def test_e29_what_the_engine_does_not_show_is_not_copied(place: Farm, answered: bytes, status: int) -> None:
    place.engine.answers[f"{MINE}/json"] = answered
    assert (await place.get(ARCHIVE))[0] == status
    assert not copied(place)
    place.engine.answers["/start"] = plain(404, b"{}")
    assert (await place.ask("POST", f"/v1.41/containers/{MINE}/start"))[0] == status


async def test_what_stands_still_keeps_nobody_from_copying(place: Farm) -> None:
    others(place, "exited", "created", "dead")
    assert await place.get(ARCHIVE) == (200, COPIED)


async def test_a_container_without_volumes_is_copied_whatever_runs(place: Farm) -> None:
    place.engine.answers[f"{MINE}/json"] = as_json({**STANDS, "Mounts": [BIND]})
    assert await place.get(ARCHIVE) == (200, COPIED)
    assert not any("/containers/json" in asked for asked in place.engine.asked)


async def test_engines_that_copy_safely_are_asked_nothing_more(place: Farm) -> None:
    place.facts.version = (29, 5, 1)
    others(place, "running")
    assert await place.get(ARCHIVE) == (200, COPIED)
    assert (await place.ask("POST", f"/v1.41/containers/{MINE}/start"))[0] == 204
    assert place.engine.asked == [f"GET {ARCHIVE}", f"POST /v1.41/containers/{MINE}/start"]
    assert not any("/door/copies" in asked for asked in place.daemon.asked)


@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT"])
async def test_e29_nothing_is_copied_of_what_ds01d_starts(place: Farm, method: str) -> None:
    place.may_copy(free=False)
    status, found = await place.ask(method, ARCHIVE)
    assert (status, copied(place)) == (409, False)
    if method != "HEAD":
        assert found["message"] == (
            "DS01: The container, or one that has a volume in common with it, is being started (container.busy). Try "
            "again in a moment. More: ds01 why-refused"
        )


async def test_e29_ds01d_is_told_what_is_copied_before_it_is_looked_at(place: Farm) -> None:
    place.daemon.upon["/door/copies"] = lambda: place.engine.asked.append("ds01d is told")
    assert await place.get(ARCHIVE) == (200, COPIED)
    assert json.loads(place.daemon.told[-1]) == {"id": MINE, "volumes": [f"v._.{UID}"]}
    asked = [line.partition("?")[0].rpartition("/")[2] for line in place.engine.asked]
    assert asked == ["json", "ds01d is told", "json", "json", "archive"]


@pytest.mark.parametrize("answer", [plain(500, b"{}"), plain(200, b""), plain(200, b"{}"), b""])
async def test_e29_without_ds01ds_word_nothing_is_copied(place: Farm, answer: bytes) -> None:
    place.daemon.held, place.daemon.answers["/door/copies"] = (), answer
    assert (await place.get(ARCHIVE))[0] == 503
    assert not copied(place)


async def test_e29_a_copy_ends_with_the_ds01d_that_knows_of_it(place: Farm) -> None:
    begun = asyncio.Event()
    place.engine.upon["/archive"], place.engine.held = begun.set, ("/archive",)
    place.engine.answers["/archive"] = b""
    reader, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(f"GET {ARCHIVE} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    async with asyncio.timeout(30):
        await begun.wait()
        for _, said_on in place.daemon.open:
            said_on.transport.abort()
        assert await reader.read() == b""
    writer.transport.abort()


async def test_e29_what_has_its_volume_is_not_started_while_files_are_copied(
    place: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moves, "PATIENCE_SECONDS", 0.05)
    begun = asyncio.Event()
    place.engine.upon["/archive"], place.engine.held = begun.set, ("/archive",)
    place.engine.answers |= {"/archive": b"", f"{OTHER}/json": as_json({**STANDS, "Mounts": [V]})}
    place.registry.learn(DoorContainer(id=OTHER, uid=UID, name="db", stored_name=f"db._.{UID}", image_ref="bb"))
    _, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(f"GET {ARCHIVE} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    async with asyncio.timeout(30):
        await begun.wait()
    status, found = await place.ask("POST", f"/v1.41/containers/{OTHER}/start")
    assert (status, found["message"]) == (
        409, "DS01: A container that has a volume in common with it is having files copied (container.busy). Try again "
        "in a moment. More: ds01 why-refused",
    )  # fmt: skip
    place.engine.answers[f"{OTHER}/json"] = as_json({**STANDS, "Mounts": [{**V, "Name": "w"}]})
    assert (await place.ask("POST", f"/v1.41/containers/{OTHER}/start"))[0] == 204
    writer.transport.abort()


async def test_where_folders_are_mounted_nobody_needs_room_to_hear_that_nothing_is_copied(place: Farm) -> None:
    bound = {"/data": "/home/mallory/data"}
    place.registry.learn(
        DoorContainer(id=MINE, uid=UID, name="web", stored_name=f"web._.{UID}", image_ref="bb", binds=bound)
    )
    full = {"error": {"code": "quota.disk", "message": "No space is left."}}
    place.daemon.answers[f"/door/users/{UID}/room"] = as_json(full, 507)
    status, found = await place.ask("PUT", ARCHIVE)
    assert (status, "(archive.binds)" in found["message"]) == (403, True)
    assert not copied(place)
