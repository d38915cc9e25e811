"""Who still sends while the answer is there already can send on, and then reads it: of a write that fails docker would
say that the pipe is broken, and not why.
"""

from __future__ import annotations

import asyncio
import io
import json
import socket
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.gateway.farm import MINE, UID, Farm, as_json, farm

MIB = 1024 * 1024
SEND = 16 * 1024


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.may_pull()
        made.facts.version = (29, 5, 1)
        yield made


async def sent(place: Farm, request: str, body: bytes) -> bytes:
    """The answer to a chunked body that is sent to its end, whatever is answered meanwhile."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)
        await loop.sock_connect(client, str(place.socket))
        await loop.sock_sendall(client, f"{request} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for at in range(0, len(body), SEND):
            piece = body[at : at + SEND]
            await loop.sock_sendall(client, b"%x\r\n%b\r\n" % (len(piece), piece))
            await asyncio.sleep(0.001)
        await loop.sock_sendall(client, b"0\r\n\r\n")
        answer = b""
        async with asyncio.timeout(30):
            while piece := await loop.sock_recv(client, MIB):
                answer += piece
    return answer


async def test_a_load_of_what_is_no_archive_is_refused_with_a_sentence(place: Farm) -> None:
    answer = await sent(place, "POST /v1.41/images/load", b"\xff" * 4 * MIB)
    head, _, said = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert json.loads(said)["error"].startswith("DS01: ")


async def test_an_engine_that_refuses_before_the_archive_ends_is_heard(place: Farm) -> None:
    place.daemon.answers[f"/door/users/{UID}/room"] = as_json({"left_bytes": None})
    place.may_copy()
    place.engine.answers["/archive"] = as_json({"message": "Could not find the file /no in container web"}, 404)
    answer = await sent(place, f"PUT /v1.41/containers/{MINE}/archive?path=%2Fno", archive(4 * MIB))
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"Could not find the file /no in container web" in answer


def archive(size: int) -> bytes:
    """A plain archive with one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo("x")
        entry.size = size
        tar.addfile(entry, io.BytesIO(bytes(size)))
    return out.getvalue()
