"""An engine that answers nothing about one container: whose failure it is, and whom it keeps waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ds01.adapters.docker import http
from ds01.adapters.docker.engine import DockerEngine
from ds01.domain.container import ContainerId
from ds01.domain.errors import ENGINE_DOWN, SILENT, Ds01Error

ONE = ContainerId("1" * 64)
MANY = 150
"""More than the connections that aiohttp makes at once by itself."""
SOON = 0.1


class Held:
    """An engine one of whose containers is locked: nothing about it is answered. ``dead``: nothing is any more."""

    def __init__(self) -> None:
        self.dead = False
        self.waits = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        body = json.dumps({"ApiVersion": "1.41", "Version": "20.10.24", "Volumes": []}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        try:
            while asked := (await reader.readuntil(b"\r\n\r\n")).decode():
                if self.dead or f"/containers/{ONE}" in asked:
                    self.waits.set()
                    await reader.read()
                    return
                writer.write(head if asked.startswith("HEAD") else head + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        except asyncio.CancelledError:  # the test is over
            return

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


@pytest.fixture
async def held(tmp_path: Path) -> AsyncIterator[Held]:
    found = Held()
    async with await asyncio.start_unix_server(found.serve, tmp_path / "e.sock"):
        yield found
        found.close()


@pytest.fixture
async def engine(held: Held, tmp_path: Path) -> AsyncIterator[DockerEngine]:
    found = DockerEngine(f"unix://{tmp_path}/e.sock")
    yield found
    await found.close()


async def test_a_container_that_does_not_answer_says_nothing_of_the_engine(engine: DockerEngine) -> None:
    with pytest.raises(Ds01Error) as caught:
        await engine.inspect(ONE, seconds=SOON)
    assert caught.value.kind is SILENT
    assert caught.value.problem.reason
    assert caught.value.problem.hint


async def test_where_the_engine_answers_nothing_at_all_it_is_the_engine(
    engine: DockerEngine, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "PING_SECONDS", SOON)
    await engine.volumes()
    held.dead = True
    with pytest.raises(Ds01Error) as caught:
        await engine.inspect(ONE, seconds=SOON)
    assert caught.value.kind is ENGINE_DOWN


async def test_what_goes_away_meanwhile_is_the_engine(engine: DockerEngine, held: Held, tmp_path: Path) -> None:
    asked = asyncio.create_task(engine.inspect(ONE))
    await held.waits.wait()
    (tmp_path / "e.sock").unlink()
    held.close()
    with pytest.raises(Ds01Error) as caught:
        await asked
    assert caught.value.kind is ENGINE_DOWN


async def test_many_that_wait_for_one_container_keep_nobody_waiting(engine: DockerEngine, held: Held) -> None:
    waiting = [asyncio.create_task(engine.inspect(ONE)) for _ in range(MANY)]
    await held.waits.wait()
    async with asyncio.timeout(5):
        assert await engine.volumes() == ()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
