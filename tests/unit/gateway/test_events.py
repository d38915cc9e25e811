"""A stream of events that lasts is of what its user has when each comes, not of what she had when it began."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from ds01.domain.image_access import EVERYBODY
from ds01.wire.door import DoorImage, DoorUser
from ds01.wire.holdings import DoorNetwork, DoorVolume
from tests.unit.gateway.farm import MINE, UID, Farm, farm

BEGUN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
LIB = DoorImage(id="sha256:lib", refs={"lib:1": EVERYBODY})
USER = DoorUser(uid=UID, gid=UID, login="mallory", admin=False)
OWN = DoorImage(id="sha256:own", owners=(f"{UID}:0",), refs={f"ds01-u{UID}/lib:1": f"{UID}:0"})


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.registry.learn(LIB)
        made.engine.answers["/events"] = BEGUN
        made.engine.held = ("/events",)
        yield made


def event(name: str, action: str) -> bytes:
    found = {"Type": "image", "Action": action, "Actor": {"ID": LIB.id, "Attributes": {"name": name}}}
    line = json.dumps(found).encode() + b"\n"
    return f"{len(line):x}\r\n".encode() + line + b"\r\n"


class Listening:
    """A client that hears events, and the engine that tells of them."""

    def __init__(self, engine: asyncio.StreamWriter, client: asyncio.StreamReader) -> None:
        self._engine = engine
        self._client = client
        self._said = 0

    async def heard(self) -> bool:
        """Whether she hears of everybody's image now, by the name it has. After each comes one that she hears."""
        self._said += 1
        self._engine.write(event("lib:1", "tag") + event(LIB.id, f"last{self._said}"))
        async with asyncio.timeout(10):
            return b'"tag"' in await self._client.readuntil(f'"last{self._said}"'.encode())


@asynccontextmanager
async def listening(place: Farm, query: str = "") -> AsyncIterator[Listening]:
    client, writer = await asyncio.open_unix_connection(place.socket)
    writer.write(f"GET /v1.41/events{query} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    async with asyncio.timeout(10):
        await client.readuntil(b"\r\n\r\n")
        while not place.engine.open:
            await asyncio.sleep(0.001)
    yield Listening(place.engine.open[0][1], client)
    writer.close()


VOLUME = DoorVolume(id=f"data._.{UID}", uid=UID, name="data")
NETWORK = DoorNetwork(id="f" * 64, uid=UID, name="bridge", stored=f"ds01-u{UID}")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"volume": ["data"]}, {"volume": [f"data._.{UID}"]}), ({"volume": ["new"]}, {"volume": [f"new._.{UID}"]}),
        ({"volume": ["e" * 64]}, {"volume": ["e" * 64]}), ({"network": ["default"]}, {"network": [f"ds01-u{UID}"]}),
        ({"network": ["f" * 64]}, {"network": [f"ds01-u{UID}"]}), ({"network": ["new"]}, {"network": [f"new._.{UID}"]}),
        ({"container": ["web"], "type": ["container"]}, {"container": [MINE], "type": ["container"]}),
        ({"container": ["new"]}, {"container": [f"new._.{UID}"]}), ({"image": ["bb"]}, {}),
        ({"plugin": ["x"]}, {"plugin": ["x"]}),
    ],
)  # fmt: skip
async def test_the_engine_is_asked_by_the_names_it_has(place: Farm, asked: Any, told: Any) -> None:
    """Of an image it is not asked: it knows containers' images by their ids."""
    place.registry.learn(VOLUME)
    place.registry.learn(NETWORK)
    async with listening(place, f"?filters={quote(json.dumps(asked))}"):
        query = parse_qs(urlsplit(place.engine.asked[-1].split(" ")[1]).query)
        found = json.loads(query["filters"][0]) if "filters" in query else {}
        said = {key: list(values) for key, values in found.items()}
        assert said == told


async def test_d20_an_own_image_hides_everybodys_of_its_name_while_it_is_there(place: Farm) -> None:
    async with listening(place) as stream:
        assert await stream.heard()
        place.registry.learn(OWN)
        assert not await stream.heard()
        place.registry.granted(USER, ["lib:1"], {})
        assert await stream.heard()
        place.registry.learn(OWN)
        assert not await stream.heard()
        place.registry.forget(OWN.id)
        assert await stream.heard()
