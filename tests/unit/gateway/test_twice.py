"""Requests as docker-modem sends them, with the query in the body and the body in the query: served as if said once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ds01.domain.dockerpolicy.strictjson import Json
from ds01.gateway.routes import BodyKind
from ds01.gateway.table import ROUTES
from tests.unit.gateway.farm import MINE, Farm, as_json, farm, plain

OF = f"/v1.41/containers/{MINE}"
PULL = "/v1.41/images/create?fromImage=lab/tool&tag=1"
MODEM = "HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Farm]:
    async with farm(tmp_path) as made:
        made.may_pull()
        made.engine.answers |= {
            "/stop": plain(204), "/resize": plain(200), "/_ping": plain(200),
            "/images/create": plain(200, b'{"status": "Status: Image is up to date for lab/tool:1"}\r\n'),
        }  # fmt: skip
        yield made


def asked(place: Farm, end: str) -> list[str]:
    return [one for one in place.engine.asked if end in one]


async def test_a_stop_with_its_time_said_again(place: Farm) -> None:
    assert await place.ask("POST", f"{OF}/stop?t=5", {"t": 5}) == (204, b"")
    assert asked(place, "/stop") == [f"POST /v1.41/containers/{MINE}/stop?t=5"]
    assert place.engine.told == []


async def test_the_query_alone_counts(place: Farm) -> None:
    assert (await place.ask("POST", f"{OF}/stop", {"t": 5}))[0] == 204
    assert asked(place, "/stop") == [f"POST /v1.41/containers/{MINE}/stop"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{OF}/stop?t=5", {"t": 5, "HostConfig": {}}),
        ("POST", f"{OF}/stop?t=5", [{"t": 5}]),
        ("POST", f"{OF}/start?detachKeys=ctrl-a", {"detachKeys": "ctrl-a"}),  # the engine refuses it as well
        ("POST", f"{OF}/pause", {"t": 5}),
        ("GET", f"{OF}/json?size=1", {"size": 1}),
        ("DELETE", f"{OF}?force=1", {"force": 1}),
        ("POST", PULL, {"fromImage": "lab/tool", "other": 1}),
        ("POST", "/v1.41/session", {"t": 5}),
        ("POST", "/v1.41/grpc", {"t": 5}),
    ],
)  # fmt: skip
async def test_what_says_anything_else_is_refused(place: Farm, method: str, path: str, body: Json) -> None:
    assert (await place.ask(method, path, body))[0] == 400
    assert place.engine.asked == []


async def test_a_large_body_is_refused_before_it_is_read(place: Farm) -> None:
    for path in (f"{OF}/stop?t=5", PULL):
        head = f"POST {path} HTTP/1.1\r\nHost: d\r\nContent-Length: 65537\r\n\r\n"
        assert (await place.send(head.encode())).startswith(b"HTTP/1.1 413 ")
    assert place.engine.asked == []


async def test_a_large_body_in_chunks_is_refused(place: Farm) -> None:
    for path in (f"{OF}/stop?t=5", PULL):
        head = f"POST {path} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        data = head + (b"8000\r\n" + b" " * 0x8000 + b"\r\n") * 3
        assert (await place.send(data)).startswith(b"HTTP/1.1 413 ")
    assert asked(place, "/stop") + asked(place, "/images/create") == []


async def test_the_body_of_a_pull_is_no_archive(place: Farm) -> None:
    status, _ = await place.ask("POST", PULL, {"fromImage": "lab/tool", "tag": "1"})
    assert status == 200
    assert asked(place, "/images/create") == ["POST /v1.41/images/create?fromImage=lab%2Ftool&tag=1"]
    assert place.engine.told == []


async def test_an_archive_is_no_body_of_a_pull(place: Farm) -> None:
    head = f"POST {PULL} HTTP/1.1\r\nHost: d\r\nContent-Type: application/tar\r\nContent-Length: 512\r\n\r\n"
    assert (await place.send(head.encode() + b"a".ljust(512, b"\0"))).startswith(b"HTTP/1.1 400 ")
    assert place.engine.asked == []


async def test_the_connection_goes_on(place: Farm) -> None:
    reader, writer = await asyncio.open_unix_connection(place.socket)
    asks: tuple[tuple[str, Any, bytes], ...] = (
        (f"{OF}/stop?t=5", {"t": 5}, b"204"), (f"{OF}/resize?h=5&w=6", {"h": 5, "w": 6}, b"200"),
        (f"{OF}/stop?t=7", {"t": 7}, b"204"),
    )  # fmt: skip
    for path, body, status in asks:
        text = json.dumps(body, separators=(",", ":"))
        writer.write(f"POST {path} {MODEM.format(len(text), text)}".encode())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        assert answer.startswith(b"HTTP/1.1 " + status), answer
        length = next((int(line[16:]) for line in answer.split(b"\r\n") if line.startswith(b"Content-Length: ")), 0)
        await reader.readexactly(length)
    assert len(asked(place, "/stop")) == 2
    writer.close()


async def test_a_create_may_say_its_body_in_the_query_too(place: Farm) -> None:
    body = {"Image": "absent", "name": "n", "platform": "linux/amd64", "Cmd": ["a", "b"]}
    query = "Image=absent&name=n&platform=linux%2Famd64&Cmd=a&Cmd=b"
    status, found = await place.ask("POST", f"/v1.41/containers/create?{query}", body)
    assert (status, "absent" in found["message"]) == (404, True)


@pytest.mark.parametrize("query", ["Image=absent&Privileged=true", "image=absent", "HostConfig=%7B%22a%22:1%7D"])
async def test_what_only_the_query_says_is_refused(place: Farm, query: str) -> None:
    status, found = await place.ask("POST", f"/v1.41/containers/create?{query}", {"Image": "absent"})
    assert (status, "is not served here" in found["message"]) == (400, True)


@pytest.mark.parametrize("route", [each for each in ROUTES if each.body is BodyKind.JSON], ids=lambda each: each.name)
async def test_no_request_with_a_body_passes_over_an_unknown_parameter(place: Farm, route: Any) -> None:
    ids = {"container": MINE, "exec": "e" * 64, "network": "bridge"}
    path = route.path
    for kind, name in ids.items():
        path = path.replace(f"(?P<{kind}>", f"{name}(")
    path = path.split("(")[0] + path.rpartition(")")[2] if "(" in path else path
    place.engine.answers |= {f"/exec/{'e' * 64}/json": as_json({"ContainerID": MINE})}
    place.daemon.answers |= {"/door/networks": as_json([])}
    status, found = await place.ask("POST", f"/v1.41{path}?other=1&container={MINE}", {"Name": "a", "container": "x"})
    assert status in (400, 404), (path, found)
    assert [one for one in place.engine.asked if one.startswith("POST")] == []
