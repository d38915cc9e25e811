"""How a command ended is asked for as soon as its stream is over, and told to whoever asks next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from ds01.gateway import ends
from ds01.gateway.owner import Owners
from ds01.gateway.unread import AT_ONCE, SHORT_ANSWER_BYTES
from ds01.gateway.upstream import Upstream
from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm, plain

RUN = "e" * 64
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n\x01\0\0\0\0\0\0\3hi\n"
ENDED = {"ID": RUN, "ContainerID": MINE, "Running": False, "ExitCode": 7}
RUNS = ENDED | {"Running": True, "ExitCode": None}
QUESTION = f"GET /v1.41/exec/{RUN}/json"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    """Where the engine made a command in the user's container and answers its start with a stream."""
    async with farm(tmp_path) as made:
        made.engine.answers |= {
            f"/containers/{MINE}/exec": as_json({"Id": RUN}, 201), "/start": STREAM, f"{RUN}/json": as_json(ENDED),
        }  # fmt: skip
        assert (await made.ask("POST", f"/v1.41/containers/{MINE}/exec", {"Cmd": ["true"]}))[0] == 201
        yield made


async def start(place: Farm) -> None:
    """Start it, and read all it says."""
    assert (await place.ask("POST", f"/v1.41/exec/{RUN}/start", {}))[0] == 200


async def how(place: Farm, version: str = "v1.41") -> tuple[int, Any]:
    return await place.get(f"/{version}/exec/{RUN}/json")


async def asked(place: Farm, times: int) -> None:
    """The engine is asked so often; a moment for who asks too often."""
    async with asyncio.timeout(10):
        while place.engine.asked.count(QUESTION) < times:
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    assert place.engine.asked.count(QUESTION) == times


async def test_it_is_asked_for_when_the_stream_ends_and_told_once(place: Farm) -> None:
    await start(place)
    await asked(place, 1)
    assert await how(place) == (200, ENDED)
    await asked(place, 1)
    assert await how(place) == (200, ENDED)
    await asked(place, 2)


async def test_one_that_still_runs_is_asked_for_again(place: Farm) -> None:
    place.engine.answers[f"{RUN}/json"] = as_json(RUNS)
    await start(place)
    await asked(place, 1)
    place.engine.answers[f"{RUN}/json"] = as_json(ENDED)
    assert await how(place) == (200, ENDED)


@pytest.mark.parametrize("answer", [as_json({}, 404), b"no HTTP", b"", plain(200, b"{")])
async def test_what_the_engine_could_not_say_is_asked_for_again(place: Farm, answer: bytes) -> None:
    place.engine.answers[f"{RUN}/json"] = answer
    await start(place)
    await asked(place, 1)
    place.engine.answers[f"{RUN}/json"] = as_json(ENDED)
    assert await how(place) == (200, ENDED)


async def test_a_long_answer_is_not_read_and_takes_no_turn_of_hers(place: Farm) -> None:
    words = ENDED | {"ProcessConfig": {"arguments": ["x" * SHORT_ANSWER_BYTES]}}
    place.engine.answers[f"{RUN}/json"] = as_json(words)
    own, found = Owners().of(UID), ends.Ends()
    async with AsyncExitStack() as turns:
        for _ in range(AT_ONCE):
            await turns.enter_async_context(own.unread.reading())
        found.question(Upstream(str(place.folder / "e.sock"), "the engine", own), QUESTION.removeprefix("GET "))()
        async with asyncio.timeout(10):
            assert await found.take(QUESTION.removeprefix("GET ")) is None
    await start(place)
    assert await how(place) == (200, words)


async def test_a_broken_answer_is_no_refusal_of_hers(place: Farm) -> None:
    broken = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"
    place.engine.answers[f"{RUN}/json"] = broken
    await start(place)
    await asked(place, 1)
    place.engine.answers[f"{RUN}/json"] = as_json(ENDED)
    assert await how(place) == (200, ENDED)
    place.engine.answers[f"{RUN}/json"] = broken
    status, said = await how(place)
    assert (status, "The engine's answer cannot be read" in said["message"]) == (502, True)


async def test_a_client_of_another_version_is_told_in_hers(place: Farm) -> None:
    await start(place)
    await asked(place, 1)
    assert await how(place, "v1.40") == (200, ENDED)
    assert f"GET /v1.40/exec/{RUN}/json" in place.engine.asked


async def test_in_a_container_that_is_not_hers_it_is_not_told(place: Farm) -> None:
    place.engine.answers[f"{RUN}/json"] = as_json(ENDED | {"ContainerID": "c" * 64})
    await start(place)
    await asked(place, 1)
    assert (await how(place))[0] == 404


async def test_nobody_asks_and_it_is_forgotten(place: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "KEPT_SECONDS", 0.01)
    await start(place)
    await asked(place, 1)
    assert await how(place) == (200, ENDED)
    await asked(place, 2)


async def test_who_leaves_first_asks_for_nothing(place: Farm) -> None:
    place.engine.held = ("/start",)
    _, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(f"POST /v1.41/exec/{RUN}/start HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    async with asyncio.timeout(10):
        while not place.engine.open:
            await asyncio.sleep(0.001)
    writer.close()
    reader, engine = place.engine.open[0]
    async with asyncio.timeout(10):
        while not reader.at_eof():
            engine.write(b"\x01\0\0\0\0\0\0\3hi\n")
            await asyncio.sleep(0.001)
            await reader.read(1)
    await asked(place, 0)


async def test_one_that_does_not_start_is_not_asked_for(place: Farm) -> None:
    place.engine.answers["/start"] = as_json({"message": "Container is paused"}, 409)
    assert (await place.ask("POST", f"/v1.41/exec/{RUN}/start", {}))[0] == 409
    await asked(place, 0)
