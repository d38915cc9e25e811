"""What the classic builder would take from its cache for what a base runs: anybody's, so nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ds01.domain.dockerpolicy.context import END
from ds01.domain.dockerpolicy.tarhead import entry
from ds01.domain.labels import Label
from ds01.wire.door import DoorImage
from tests.unit.gateway.farm import UID, Farm, as_json, farm, plain

IMAGE = "sha256:" + "1" * 64


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    """She built the base herself; nobody else has it now."""
    async with farm(tmp_path) as made:
        made.may_build()
        made.registry.learn(DoorImage(id=IMAGE, owners=(f"{UID}:0",), refs={"base:1": f"{UID}:0"}))
        made.engine.answers["/build"] = plain(200, b'{"stream":"built"}\r\n', "Content-Type: application/json")
        yield made


async def built(place: Farm, trigger: str, query: str = "") -> str:
    config = {"OnBuild": [trigger], "Labels": {Label.OWNER: str(UID), Label.EPOCH: "0"}}
    place.engine.answers["/images/base:1/json"] = as_json({"Id": IMAGE, "RepoTags": ["base:1"], "Config": config})
    context = entry("Dockerfile", b"FROM base:1\n") + END
    head = f"POST /v1.41/build{query} HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: {len(context)}"
    return (await place.send(f"{head}\r\n\r\n".encode() + context)).decode()


@pytest.mark.parametrize("query", ["", "?nocache=0", "?cachefrom=%5B%22base:1%22%5D"])
async def test_o13_no_layer_is_taken_for_what_a_base_runs_whoever_built_it(place: Farm, query: str) -> None:
    """Somebody else may have had it, made the same command on it, and given it up since."""
    answer = await built(place, "RUN pip install tool", query)
    assert "(build.onbuild). Build with --no-cache, or with BuildKit (DOCKER_BUILDKIT=1)." in answer


async def test_without_the_cache_it_is_built(place: Farm) -> None:
    assert "built" in await built(place, "RUN pip install tool", "?nocache=1")


async def test_what_a_base_copies_is_hers_by_its_content(place: Farm) -> None:
    assert "built" in await built(place, "COPY . /app")
