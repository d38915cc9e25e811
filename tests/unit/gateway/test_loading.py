"""A load is told to ds01d as done when the engine has said everything that was to be loaded, and not before."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.unit.gateway.farm import Farm, farm

CONFIGS = {"a": b"{}", "b": b'{"os":"linux"}'}
PROGRESS = {"status": "Loading layer", "progressDetail": {"current": 1, "total": 2}, "id": "a"}
A, B = {"stream": "Loaded image: a:1\n"}, {"stream": "Loaded image: b:1\n"}
IDS = {"stream": "Loaded image ID: sha256:1\nLoaded image ID: sha256:2\n"}
FULL = {"errorDetail": {"message": "no space left on device"}, "error": "no space left on device"}
Names = Mapping[str, list[str]]
BOTH: Names = {"a": ["a:1"], "b": ["b:1"]}
FIRST: Names = {"a": ["a:1"], "b": []}
LAST: Names = {"a": [], "b": ["b:1"]}
NONE: Names = {"a": []}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.may_pull()
        made.engine.answers["/images/load"] = b""
        made.engine.held = ("/images/load",)
        yield made


def archive(names: Names) -> bytes:
    """Images without layers, each with these names."""
    listed = [{"Config": f"{each}.json", "RepoTags": refs, "Layers": []} for each, refs in names.items()]
    files = {f"{each}.json": CONFIGS[each] for each in names} | {"manifest.json": json.dumps(listed).encode()}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


async def told(place: Farm, names: Names, *lines: object, cut: bool = False) -> bool:
    """Whether ds01d hears that it was done, where the engine says this; ``cut``: and goes away then."""
    data = archive(names)
    head = f"POST /v1.41/images/load HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n"
    answer = asyncio.create_task(place.send(head.encode() + data))
    async with asyncio.timeout(10):
        while not place.engine.open:
            await asyncio.sleep(0.001)
        reader, engine = place.engine.open[0]
        await reader.readuntil(b"\r\n0\r\n\r\n")
    said = b"".join(json.dumps(line).encode() + b"\r\n" for line in lines)
    engine.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    engine.write(f"{len(said):x}\r\n".encode() + said + b"\r\n" + (b"" if cut else b"0\r\n\r\n"))
    engine.close()
    assert b" 200 " in await answer
    return bool(json.loads(place.daemon.told[-1])["done"])


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (BOTH, (PROGRESS, A, PROGRESS, B)),
        (LAST, (PROGRESS, B)),  # the engine says ids only where the last has no name, and then all of them at once
        (FIRST, (A, PROGRESS, IDS)),
        (NONE, (PROGRESS, IDS)),
    ],
)  # fmt: skip
async def test_what_was_all_loaded_is_done(place: Farm, names: Names, lines: list[object]) -> None:
    assert await told(place, names, *lines)


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (BOTH, (PROGRESS,)), (BOTH, (PROGRESS, A, PROGRESS)), (BOTH, (A, FULL, PROGRESS)), (FIRST, (A, PROGRESS)),
        (NONE, (PROGRESS,)), (BOTH, (A, B, FULL)), (BOTH, (FULL, A, B)),
    ],
)  # fmt: skip
async def test_what_is_broken_off_is_not_done(place: Farm, names: Names, lines: list[object], *, cut: bool) -> None:
    assert not await told(place, names, *lines, cut=cut)
