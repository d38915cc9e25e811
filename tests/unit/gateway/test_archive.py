"""Files are copied where ds01d says so, for as long as it does, and no longer than something moves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ds01.gateway import counts
from ds01.gateway.call import Timeouts
from ds01.wire.door import DoorContainer
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

COPIED = b"6\r\ncopied\r\n0\r\n\r\n"
ARCHIVE = f"/v1.41/containers/{MINE}/archive?path=%2Fv%2Fsub"
REACHED: dict[str, Any] = {
    "code": "door.denied", "message": "This version of Docker does not copy files of 'web'.",
    "reason": "Everything in it runs as you.", "hint": "Use ds01 cp while it runs",
    "details": {"rule": "archive.reached"},
}  # fmt: skip
BUSY = {
    "code": "container.busy",
    "message": "Files of this container are being copied.",
    "hint": "Try again in a moment",
}
SECONDS = 30
"""How long anything here may take that only waits for this test itself."""


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    """ds01d says that files of her container may be copied."""
    async with farm(tmp_path, Timeouts(copied_seconds=0.3)) as made:
        container = {"id": MINE, "uid": UID, "name": "web", "stored_name": f"web._.{UID}", "image_ref": "bb"}
        made.daemon.answers |= {
            f"/door/users/{UID}/room": as_json({"left_bytes": None}),
            "/door/starts": as_json({"ticket": "t", "container": container}), "/starts/commit": as_json(container),
        }  # fmt: skip
        made.may_copy()
        made.engine.answers = {"/archive": plain(200, b"copied"), "/start": plain(204)}
        yield made


def copied(place: Farm) -> bool:
    return any("/archive" in asked for asked in place.engine.asked)


async def begun(place: Farm, request: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request that the engine has."""
    asked = asyncio.Event()
    place.engine.upon["/archive"] = asked.set
    reader, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(request.encode())
    async with asyncio.timeout(SECONDS):
        await asked.wait()
    return reader, writer


def hang_up(place: Farm) -> None:
    """ds01d does not say any more that files may be copied."""
    for _, said_on in place.daemon.open:
        said_on.transport.abort()


async def read(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(SECONDS):
        return await reader.read()


@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT"])
@pytest.mark.parametrize(("why", "status"), [(REACHED, 403), (BUSY, 409)])
async def test_e29_e36_e37_nothing_is_copied_where_ds01d_says_no(
    place: Farm, method: str, why: dict[str, Any], status: int
) -> None:
    place.may_copy(why)
    answered, found = await place.ask(method, ARCHIVE)
    assert (answered, copied(place)) == (status, False)
    if method != "HEAD":
        assert found["message"] == (
            "DS01: This version of Docker does not copy files of 'web' (archive.reached). Everything in it runs as "
            "you. Use ds01 cp while it runs. More: ds01 why-refused"
            if why is REACHED
            else "DS01: Files of this container are being copied (container.busy). Try again in a moment. More: "
            "ds01 why-refused"
        )


async def test_e29_ds01d_is_asked_about_the_container_before_the_engine(place: Farm) -> None:
    place.daemon.upon["/door/copies"] = lambda: place.engine.asked.append("ds01d is asked")
    assert await place.get(ARCHIVE) == (200, COPIED)
    assert json.loads(place.daemon.told[-1]) == {"id": MINE}
    assert place.engine.asked == ["ds01d is asked", f"GET {ARCHIVE}"]


@pytest.mark.parametrize("version", [(20, 10, 24), (29, 5, 1)])
async def test_a_start_asks_the_engine_nothing_more(place: Farm, version: tuple[int, ...]) -> None:
    place.facts.version = version
    assert (await place.ask("POST", f"/v1.41/containers/{MINE}/start"))[0] == 204
    assert place.engine.asked == [f"POST /v1.41/containers/{MINE}/start"]


@pytest.mark.parametrize("answer", [plain(500, b"{}"), plain(200, b""), plain(200, b"[]"), b""])
async def test_e29_without_ds01ds_word_nothing_is_copied(place: Farm, answer: bytes) -> None:
    place.daemon.held, place.daemon.answers["/door/copies"] = (), answer
    assert (await place.get(ARCHIVE))[0] == 503
    assert not copied(place)


@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT"])
async def test_e29_a_copy_ends_with_the_word_of_ds01d_and_says_so_where_it_can(place: Farm, method: str) -> None:
    place.engine.held, place.engine.answers["/archive"] = ("/archive",), b""
    more = "Transfer-Encoding: chunked\r\n\r\n" if method == "PUT" else "\r\n"
    reader, writer = await begun(place, f"{method} {ARCHIVE} HTTP/1.1\r\nHost: d\r\n{more}")
    hang_up(place)
    found = await read(reader) if method == "PUT" else await reader.readuntil(b"\r\n\r\n") + await _rest(reader, method)
    assert found.startswith(b"HTTP/1.1 503 ")
    if method != "HEAD":
        assert json.loads(found.partition(b"\r\n\r\n")[2])["message"] == (
            "DS01: The copy was broken off: DS01 ends this container, or ds01d was started anew (archive.ended). Try "
            "again in a moment."
        )
    writer.transport.abort()


async def _rest(reader: asyncio.StreamReader, method: str) -> bytes:
    return b"" if method == "HEAD" else await reader.readline()


async def test_e29_one_whose_bytes_are_on_their_way_is_cut_off(place: Farm) -> None:
    place.engine.held = ("/archive",)
    place.engine.answers["/archive"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ncopied\r\n"
    reader, writer = await begun(place, f"GET {ARCHIVE} HTTP/1.1\r\nHost: d\r\n\r\n")
    async with asyncio.timeout(SECONDS):
        await reader.readuntil(b"copied\r\n")
    hang_up(place)
    assert await read(reader) == b""
    writer.transport.abort()


# what stands still is ended ---------------------------------------------------------------------------


async def test_a_copy_that_nobody_takes_is_ended(place: Farm) -> None:
    """The engine keeps the container to itself for as long."""
    place.engine.answers["/archive"] = plain(200, b"x" * 8_000_000)
    reader, writer = await begun(place, f"GET {ARCHIVE} HTTP/1.1\r\nHost: d\r\n\r\n")
    await _left_alone(place)
    assert len(await read(reader)) < 8_000_000
    writer.transport.abort()


async def test_a_copy_of_which_the_engine_sends_nothing_is_ended(place: Farm) -> None:
    place.engine.held, place.engine.answers["/archive"] = ("/archive",), b""
    status, found = await place.get(ARCHIVE)
    assert (status, "the engine does not answer" in found["message"].lower()) == (504, True)
    place.engine.answers["/archive"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ncopied\r\n"
    assert (await place.get(ARCHIVE))[1] == b"6\r\ncopied\r\n"
    await _left_alone(place)


async def test_a_copy_of_which_the_client_sends_nothing_is_ended(place: Farm) -> None:
    place.engine.held, place.engine.answers["/archive"] = ("/archive",), b""
    found = await place.send(f"PUT {ARCHIVE} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    assert found.startswith(b"HTTP/1.1 408 ")
    assert b"body.stalled" in found
    await _left_alone(place)


async def test_a_copy_of_which_the_engine_takes_nothing_is_ended(place: Farm) -> None:
    """It waits for a lock, say."""
    held = asyncio.Event()
    place.engine.stuck["/archive"] = held
    size = 16_000_000
    head = b"x".ljust(124, b"\0") + b"%011o\0" % size
    entry = bytearray(head.ljust(512, b"\0"))
    entry[148:156] = b"        "
    entry[148:156] = b"%06o\0 " % sum(entry)
    request = f"PUT {ARCHIVE} HTTP/1.1\r\nHost: d\r\nContent-Length: {512 + size}\r\n\r\n".encode()
    found = await place.send(request + bytes(entry) + bytes(size))
    assert found.startswith(b"HTTP/1.1 502 "), found[:200]
    held.set()


async def _left_alone(place: Farm) -> None:
    """Until the gateway has let go of the engine and of ds01d."""
    async with asyncio.timeout(SECONDS):
        for reader, _ in (*place.engine.open, *place.daemon.open):
            await reader.read()


async def test_so_many_copies_of_one_user_go_on(place: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "COPIES", 1)
    place.engine.held, place.engine.answers["/archive"] = ("/archive",), b""
    _, writer = await begun(place, f"GET {ARCHIVE} HTTP/1.1\r\nHost: d\r\n\r\n")
    status, found = await place.get(ARCHIVE)
    assert (status, "(archive.many)" in found["message"]) == (429, True)
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
