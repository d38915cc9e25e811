"""What costs the engine much really waits for its turn, whichever request it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ds01.gateway.counts import WATCHED
from ds01.gateway.pace import PATIENCE_SECONDS, Costly, Rate
from tests.unit.gateway.farm import MINE, Farm, as_json, farm

OF = f"/v1.41/containers/{MINE}"
EXEC: dict[str, Any] = {"Cmd": ["true"]}
COSTLY: dict[str, tuple[Rate, str, str, Any]] = {
    "exec": (Costly.EXEC, "POST", f"{OF}/exec", EXEC),
    "ps --size": (Costly.MEASURE, "GET", "/v1.41/containers/json?size=1", None),
    "inspect --size": (Costly.MEASURE, "GET", f"{OF}/json?size=1", None),
    "diff": (Costly.MEASURE, "GET", f"{OF}/changes", None),
    "system df": (Costly.MEASURE, "GET", "/v1.41/system/df", None),
}
STATS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.engine.answers |= {"/containers/json": as_json([]), "/exec": as_json({"Id": "e" * 64}, 201)}
        yield made


@pytest.mark.parametrize("name", COSTLY)
async def test_d10_in_a_loop_it_is_slowed_then_refused(place: Farm, name: str) -> None:
    rate, method, path, body = COSTLY[name]
    for _ in range(int(rate.burst)):
        assert (await place.ask(method, path, body))[0] != 429
    assert place.waited == []
    for _ in range(int(rate.per_second * PATIENCE_SECONDS)):
        assert (await place.ask(method, path, body))[0] != 429
    assert 0 < place.waited[0] < place.waited[-1] <= PATIENCE_SECONDS
    status, said = await place.ask(method, path, body)
    assert (status, rate.what in said["message"]) == (429, True)
    place.now += 2 / rate.per_second
    assert (await place.ask(method, path, body))[0] != 429


async def test_d10_a_loop_of_one_kind_costs_no_other(place: Farm) -> None:
    for _ in range(100):
        await place.ask("GET", "/v1.41/containers/json?size=1")
    place.waited.clear()
    assert (await place.ask("GET", "/v1.41/containers/json"))[0] == 200
    assert (await place.ask("POST", f"{OF}/exec", EXEC))[0] == 201
    assert place.waited == []


@asynccontextmanager
async def watching(place: Farm) -> AsyncIterator[int]:
    """A stream of figures that has begun, or not: the status."""
    reader, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(f"GET {OF}/stats HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    try:
        yield int((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1])
    finally:
        writer.close()


async def test_d10_so_many_streams_of_figures_and_no_more(place: Farm) -> None:
    place.engine.answers["/stats"] = STATS
    place.engine.held = ("/stats",)
    async with AsyncExitStack() as stack:
        for _ in range(WATCHED):
            assert await stack.enter_async_context(watching(place)) == 200
        assert await stack.enter_async_context(watching(place)) == 429
