"""What goes on long after it was allowed ends when it may not any more, and not before."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ds01.gateway import people
from ds01.gateway.ongoing import while_there
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

OTHER = "c" * 64
HER = {"uid": UID, "gid": UID, "login": "mallory", "admin": False}
LOGS = f"GET /v1.41/containers/{MINE}/logs?follow=1&stdout=1"
ATTACH = f"POST /v1.41/containers/{MINE}/attach?stream=1&stdout=1"
WAYS = {
    "logs": (LOGS, ""), "attach": (ATTACH, "Connection: Upgrade\r\nUpgrade: tcp\r\n"),
    "events": ("GET /v1.41/events", ""),
}  # fmt: skip
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
RAW = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.engine.answers |= {"/logs": BEGUN, "/events": BEGUN, "/attach": RAW}
        made.engine.held = tuple(made.engine.answers)
        yield made


class Going:
    """A stream that has begun."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def ends(self) -> None:
        """Wait until the gateway ends it."""
        async with asyncio.timeout(60):
            with contextlib.suppress(ConnectionError):
                await self._reader.read()

    async def goes_on(self) -> None:
        """See it there a moment later."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                raise AssertionError(await self._reader.read())


@asynccontextmanager
async def begun(place: Farm, way: str = "attach", container: str = MINE) -> AsyncIterator[Going]:
    line, headers = WAYS[way]
    reader, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(f"{line.replace(MINE, container)} HTTP/1.1\r\nHost: d\r\n{headers}\r\n".encode())
    try:
        async with asyncio.timeout(60):
            await reader.readuntil(b"\r\n\r\n")
            while not place.registry.people.ongoing.uids():
                await asyncio.sleep(0)
        yield Going(reader)
    finally:
        writer.close()


async def told(place: Farm, *lines: dict[str, Any]) -> None:
    """ds01d says this on its stream, after everything there is."""
    there = [{"container": {"id": each, "uid": uid, "name": each[:3], "stored_name": f"{each[:3]}._.{uid}"}}
             for each, uid in ((MINE, UID), (OTHER, 1001))]  # fmt: skip
    said = "".join(json.dumps(line) + "\n" for line in (*there, {"ready": True}, *lines))
    place.daemon.answers["/door/registry"] = plain(200, said.encode())
    await place.registry.follow_once()


def known_as(place: Farm, **changes: Any) -> None:
    place.daemon.answers[f"/door/users/{UID}"] = as_json({**HER, **changes})


@pytest.mark.parametrize("way", ["logs", "attach"])
async def test_what_goes_on_in_a_container_ends_when_it_is_put_out_of_service(place: Farm, way: str) -> None:
    async with begun(place, way) as going:
        await told(place, {"closed": OTHER}, {"gone": MINE})
        await going.goes_on()
        await told(place, {"closed": MINE})
        await going.ends()


@pytest.mark.parametrize("way", WAYS)
async def test_s13_everything_of_a_deleted_account_ends(place: Farm, way: str) -> None:
    async with begun(place, way) as going:
        await place.registry.people.end_of_people()
        await going.goes_on()
        place.daemon.answers[f"/door/users/{UID}"] = plain(404, b"{}")
        await place.registry.people.end_of_people()
        await going.ends()
    assert place.registry.people.ongoing.uids() == set()


@pytest.mark.parametrize("path", ["/images/load", "/build"])
async def test_s13_an_archive_on_its_way_ends_with_its_account(place: Farm, path: str) -> None:
    place.may_build()
    place.engine.answers[path] = b""
    place.engine.held = (path,)
    reader, writer = await asyncio.open_unix_connection(place.socket)
    try:
        writer.write(f"POST /v1.41{path} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        async with asyncio.timeout(60):
            while not place.engine.asked:
                await asyncio.sleep(0.01)
            place.daemon.answers[f"/door/users/{UID}"] = plain(404, b"{}")
            await place.registry.people.end_of_people()
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
    finally:
        writer.close()


async def test_s13_an_account_that_is_no_more_in_the_servers_own_files(
    place: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "NEAR_SECONDS", 0.01)
    place.local[UID] = "mallory"
    keeping = asyncio.create_task(place.registry.people.keep_ending())
    async with begun(place) as going:
        place.daemon.answers[f"/door/users/{UID}"] = plain(404, b"{}")
        await going.goes_on()
        del place.local[UID]
        await going.ends()
    keeping.cancel()


async def test_s13_a_uid_that_changed_hands_is_told_at_once(place: Farm) -> None:
    keeping = asyncio.create_task(place.registry.people.keep_ending())
    async with begun(place) as going:
        known_as(place, epoch=1, login="new")
        await told(place, {"people": True})
        await going.ends()
    found = await place.registry.people.user(UID)
    assert found is not None
    assert (found.login, found.epoch) == ("new", 1)
    keeping.cancel()


async def test_who_is_no_admin_any_more_keeps_what_is_her_own(place: Farm) -> None:
    known_as(place, admin=True)
    await told(place)
    async with begun(place) as hers, begun(place, container=OTHER) as anothers:
        known_as(place, admin=False)
        await place.registry.people.end_of_people()
        await anothers.ends()
        await hers.goes_on()


async def test_while_nobody_can_say_who_she_is_it_goes_on(place: Farm) -> None:
    async with begun(place) as going:
        await place.daemon.close()
        await place.registry.people.end_of_people()
        await going.goes_on()


def leaving() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def test_work_ends_when_its_reason_does_and_has_cleaned_up_by_then() -> None:
    left, cleaned = leaving(), list[str]()

    async def work() -> None:
        try:
            left.set_result(None)
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            cleaned.append("up")

    with pytest.raises(ConnectionError):
        await while_there(left, work())
    assert cleaned == ["up"]
    await asyncio.sleep(0)  # and this task goes on


async def test_work_that_is_done_is_done_whatever_ends_in_the_same_moment() -> None:
    left, broken = leaving(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, told: broken.append(told))

    async def work() -> str:
        left.set_result(None)
        return "done"

    assert await while_there(left, work()) == "done"
    await asyncio.sleep(0.01)
    assert not broken


async def test_what_breaks_off_the_task_is_not_taken_for_a_client_that_left() -> None:
    task = asyncio.create_task(while_there(leaving(), asyncio.sleep(3600)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_that_ran_out_of_time_says_so() -> None:
    async def work() -> None:
        async with asyncio.timeout(0):
            await asyncio.sleep(3600)

    with pytest.raises(TimeoutError):
        await while_there(leaving(), work())


@pytest.mark.parametrize("first", [0, 1])
async def test_either_of_two_reasons_ends_it(first: int) -> None:
    reasons = [leaving(), leaving()]
    task = asyncio.create_task(while_there(reasons[0], while_there(reasons[1], asyncio.sleep(3600))))
    await asyncio.sleep(0)
    reasons[first].set_result(None)
    with pytest.raises(ConnectionError):
        await task


async def test_two_reasons_at_once_end_it_once() -> None:
    reasons = [leaving(), leaving()]

    async def work() -> str:
        with pytest.raises(ConnectionError):
            await while_there(reasons[0], while_there(reasons[1], asyncio.sleep(3600)))
        await asyncio.sleep(0.01)
        return "goes on"

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    for each in reasons:
        each.set_result(None)
    assert await task == "goes on"


async def left(place: Farm) -> None:
    """Wait until the gateway has left the engine, which said nothing more."""
    async with asyncio.timeout(10):
        while not place.engine.open:
            await asyncio.sleep(0)
        ((engine, _),) = place.engine.open
        with contextlib.suppress(ConnectionError):
            await engine.read()


@pytest.mark.parametrize("said", [RAW, b""])
async def test_who_is_killed_while_the_engine_says_nothing_leaves_nothing_behind(
    place: Farm, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    """``docker attach``, whether the engine has begun its answer or not."""
    monkeypatch.setattr("ds01.gateway.stream.LOOK_SECONDS", 0.05)
    place.engine.answers["/attach"] = said
    line, headers = WAYS["attach"]
    reader, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(f"{line} HTTP/1.1\r\nHost: d\r\n{headers}\r\n".encode())
    while not place.engine.open:
        await asyncio.sleep(0)
    if said:
        await reader.readuntil(b"hello")
    writer.transport.abort()
    await left(place)
    async with asyncio.timeout(10):
        while place.registry.people.ongoing.uids():
            await asyncio.sleep(0)
