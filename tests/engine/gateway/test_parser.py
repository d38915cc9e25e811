"""Section 4 of the attacks: the same bytes, read by two programs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import statistics
import struct
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from dev import people

from ds01.gateway.identity import CONNECTIONS_PER_USER
from tests.engine.gateway.conftest import NEWER, VICTIM, Victim
from tests.engine.gateway.ground import IMAGE, Ground, User, connected, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]
CREATE = "/v1.41/containers/create"
PRIVILEGED = b'{"Image":"ds01/tiny","HostConfig":{"Privileged":true}}'


@pytest.fixture(autouse=True)
def nothing_made(field: Ground) -> object:
    """Most rows make nothing; those that do say so by removing it."""
    before = field.ids()
    yield
    for container in field.ids() - before:
        assert not field.seen(container)["HostConfig"]["Privileged"]


def post(path: str, body: bytes = b"", *headers: str, length: bool = True) -> bytes:
    """A request, byte by byte."""
    lines = [f"POST {path} HTTP/1.1", "Host: d", "Content-Type: application/json", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def statuses(answer: bytes) -> list[int]:
    """The status of every answer in what came back."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@pytest.mark.parametrize(
    ("row", "body", "expected"),
    [
        ("P1", b'{"Image":"ds01/tiny","hostconfig":{"PRIVILEGED":true}}', 403),
        ("P1", b'{"iMAGE":"ds01/tiny","HostCONFIG":{"PidMODE":"host"}}', 403),
        ("P2", '{"Image":"ds01/tiny","Ho\u017ftConfig":{"Privileged":true}}'.encode(), 400),
        ("P2", '{"Image":"ds01/tiny","HostConfig":{"Networ\u212aMode":"host"}}'.encode(), 400),
        ("P2", b'{"Image":"ds01/tiny","HostConfig":{"\\u0050rivileged":true}}', 403),
        ("P2", b'{"Image":"ds01/tiny","Ho\\u017ftConfig":{"Privileged":true}}', 400),
        ("P3", b'{"Image":"ds01/tiny","HostConfig":{"Privileged":true},"HostConfig":{}}', 400),
        ("P3", b'{"Image":"ds01/tiny","HostConfig":{"Privileged":true},"HostConfig":null}', 400),
        ("P3", b'{"Image":"ds01/tiny","HostConfig":{"Privileged":true},"hostConfig":{}}', 400),
        ("P4", b'{"Image":"ds01/tiny","Privileged":true}', 400),
        ("P4", b'{"Image":"ds01/tiny","Binds":["/:/h"]}', 400),
        ("P5", b'{"Image":"ds01/tiny"}{"HostConfig":{"Privileged":true}}', 400),
        ("P5", b'{"Image":"ds01/tiny"}xyz', 400),
        ("P18", b"[" * 100_000, 400),
        ("P18", b'{"a":' * 100_000, 400),
        ("P18", b'{"Image":"ds01/tiny","StopTimeout":' + b"9" * 100_000 + b"}", 400),
        ("P18", b'{"Image":"\\ud800"}', 400),
        ("P18", '{"Image":"ds01/tiny"}'.encode("utf-16"), 400),
        ("P18", b'\xef\xbb\xbf{"Image":"ds01/tiny"}', 400),
        ("P18", b'{"Image":"ds01/tiny\xff"}', 400),
    ],
)
def test_p1_to_p5_p18_bodies(mallory: User, field: Ground, row: str, body: bytes, expected: int) -> None:
    before = field.ids()
    for version in ("v1.24", "v1.41"):
        assert mallory.call("POST", f"/{version}/containers/create", body).status == expected, row
    assert field.ids() == before


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                  "Application/X-WWW-Form-Urlencoded"])  # fmt: skip
def test_p6_forms_over_the_query(mallory: User, victim: Victim, kind: str) -> None:
    container = mallory.runs("mine")
    for path in (f"/containers/{container}/kill?signal=TERM", f"/containers/{container}/rename?name=x", "/build?t=a",
                 f"/images/{IMAGE}/tag?repo=x", "/containers/prune", CREATE.removeprefix("/v1.41")):  # fmt: skip
        found = mallory.call("POST", f"/v1.41{path}", f"signal=KILL&name={VICTIM}".encode(), Content_Type=kind)
        assert found.status in (403, 415), path
    assert mallory.call("GET", f"/v1.41/containers/{container}/json").json["State"]["Running"]


def test_p7_a_content_type_that_hides_the_body(mallory: User) -> None:
    for kind in ("application/json; charset=utf-8", "Application/JSON", "text/plain", "application/octet-stream"):
        assert mallory.call("POST", CREATE, PRIVILEGED, Content_Type=kind).status == 403


def test_p8_no_body(mallory: User, field: Ground) -> None:
    before = field.ids()
    both = mallory.raw(post(CREATE) + post(CREATE, PRIVILEGED), said=lambda found: len(statuses(found)) == 2)
    assert statuses(both) == [400, 403]
    assert statuses(mallory.raw(post(CREATE, length=False))) == [400]
    assert field.ids() == before


@pytest.mark.parametrize("size", [2, 5])
def test_p9_large_bodies(mallory: User, field: Ground, size: int) -> None:
    before = field.ids()
    body = b'{"Image":"ds01/tiny","Labels":{"a":"' + b"x" * (size << 20) + b'"},"HostConfig":{"Privileged":true}}'
    assert mallory.call("POST", CREATE, body).status == 413
    chunked = (
        post(CREATE, b"", "Transfer-Encoding: chunked", length=False) + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    )
    assert statuses(mallory.raw(chunked)) == [413]
    assert field.ids() == before


def test_p10_spellings_of_a_path(mallory: User, victim: Victim) -> None:
    for path in (
        "/v1.41/%63ontainers/%76ictim/json", f"//containers/{victim.id}/json", f"/v1.41/./containers/{victim.id}/json",
        f"/v1.41/containers/x/../{victim.id}/json", f"/v1.41/containers/%2e%2e/containers/{victim.id}/json",
        f"/v1.41/containers%2f{victim.id}/json", f"/v1.41/containers/{victim.id}%00/json",
        f"/v1.41/containers/{victim.id}/json/", f"/v1.41/containers/{victim.id}/json#x",
        f"http://d/v1.41/containers/{victim.id}/json", f"/V1.41/containers/{victim.id}/json",
        f"/v1.41/v1.41/containers/{victim.id}/json", f"/v1.41/containers/{victim.id.upper()}/json",
        "/v1.41/containers/%2576ictim/json", f"/v1.41//containers/{victim.id}/json",
    ):  # fmt: skip
        answer = mallory.raw(f"GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n".encode())
        assert statuses(answer)[0] in (400, 403, 404), path
        assert b"Config" not in answer


def test_p11_old_versions_and_their_bodies(mallory: User, victim: Victim) -> None:
    container = mallory.create("mine", Cmd=["sleep", "9"]).json["Id"]
    for version in ("v1.18", "v1.23"):
        assert mallory.call("POST", f"/{version}/containers/{container}/start", {"Privileged": True}).status == 400
        assert mallory.call("POST", f"/{version}/containers/{victim.id}/copy", {"Resource": "/secret"}).status in (
            400,
            403,
        )
    body = {"Privileged": True, "Binds": ["/:/h"]}
    assert mallory.call("POST", f"/v1.24/containers/{container}/start", body).status == 400


def test_p12_versions(mallory: User) -> None:
    for version in ("v1.12", "v1.23", "v99", "v1", "v01.41", "v1.41.0", "v1.99", "v2.0", "v1.042"):
        assert mallory.call("GET", f"/{version}/containers/json").status in (400, 403), version
        assert mallory.call("POST", f"/{version}/containers/create", PRIVILEGED).status in (400, 403), version
    newest = 45 if NEWER else 41
    for minor in range(24, newest + 1):
        assert mallory.call("GET", f"/v1.{minor}/containers/json").status == 200
        assert mallory.call("POST", f"/v1.{minor}/containers/create", PRIVILEGED).status == 403
    assert mallory.call("GET", "/_ping").headers["Api-Version"] == f"1.{newest}"


def test_c15_what_old_versions_leave_open_is_set(mallory: User, field: Ground) -> None:
    made = mallory.create("", "v1.24")
    host = field.seen(made.json["Id"])["HostConfig"]
    assert (host["IpcMode"], host["CgroupnsMode"]) == ("private", "private")


SMUGGLED = post(f"/v1.41/containers/{VICTIM}/kill")


@pytest.mark.parametrize(
    "request_",
    [
        post(CREATE, b"0\r\n\r\n", "Transfer-Encoding: chunked"),
        post(CREATE, b"{}", "Content-Length: 2"),
        post(CREATE, b"{}", "Content-Length: 200"),
        post(CREATE, b"0\r\n\r\n", "Transfer-Encoding:\r\n chunked", length=False),
        post(CREATE, b"0\r\n\r\n", "Transfer-Encoding: xchunked", length=False),
        post(CREATE, b"0\r\n\r\n", "Transfer-Encoding : chunked", length=False),
        post(CREATE, b"0\r\n\r\n", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", length=False),
        post(CREATE, b"2;a=b\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=False),
        post(CREATE, b"2\n{}\n0\n\n", "Transfer-Encoding: chunked", length=False),
        post(CREATE, b"2\r\n{}\r\n0\r\nX: y\r\n\r\n", "Transfer-Encoding: chunked", length=False),
        post(CREATE, b"{}").replace(b"\r\n", b"\n"),
        b"GET /v1.41/containers/json\r\n\r\n",
        b"GET /v1.41/containers/json HTTP/1.0\r\nHost: d\r\nConnection: keep-alive\r\n\r\n",
        b"GET /v1.41/containers/json HTTP/0.9\r\nHost: d\r\n\r\n",
    ],
)
def test_p13_framing(mallory: User, field: Ground, request_: bytes) -> None:
    before = field.ids()
    found = statuses(mallory.raw(request_ + SMUGGLED))
    assert found == [400], "one answer, and what followed was not taken for a request"
    assert field.ids() == before


def test_p14_pipelining_after_a_failed_upgrade(mallory: User, field: Ground, victim: Victim) -> None:
    before = field.ids()
    second = post(CREATE, PRIVILEGED)
    for path, body in ((f"/v1.41/containers/{victim.id}/attach?stream=1", b""), ("/v1.41/session", b""),
                       ("/v1.41/containers/none/attach", b""), (f"/v1.41/exec/{victim.exec}/start", b"{}"),
                       ("/grpc", b"")):  # fmt: skip
        first = post(path, body, "Connection: Upgrade", "Upgrade: tcp")
        found = statuses(mallory.raw(first + second))
        wrong = path.endswith(("/session", "/grpc"))  # theirs is another upgrade, h2c
        assert found[0] in ((400,) if wrong else (403, 404)), path
        assert found[1:] in ([], [403])
    assert field.ids() == before


def test_p14_p22_bytes_before_the_101_are_held_then_passed(mallory: User) -> None:
    container = mallory.runs("cat")
    made = mallory.call("POST", f"/v1.41/containers/{container}/exec",
                        {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True, "Tty": False})  # fmt: skip
    first = post(f"/v1.41/exec/{made.json['Id']}/start", b"{}", "Connection: Upgrade", "Upgrade: tcp")
    with mallory.connect() as sock:
        sock.sendall(first + b"early words\n")
        found = b""
        while b"early words" not in found:
            found += sock.recv(4096)
        assert found.startswith(b"HTTP/1.1 101")
        sock.shutdown(socket.SHUT_WR)
        while chunk := sock.recv(4096):
            found += chunk
    assert found.count(b"early words") == 1


def test_p22_a_websocket_gets_what_was_sent_early(mallory: User) -> None:
    container = mallory.create("", Cmd=["cat"], OpenStdin=True, AttachStdin=True).json["Id"]
    mallory.call("POST", f"/v1.41/containers/{container}/start")
    payload = b"hello\n"
    frame = b"\x82" + bytes([0x80 | len(payload)]) + b"\0\0\0\0" + payload
    head = (f"GET /v1.41/containers/{container}/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nOrigin: http://d\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")  # fmt: skip
    answer = mallory.raw(head.encode() + frame, seconds=0.1, said=lambda found: payload.strip() in found)
    assert answer.startswith(b"HTTP/1.1 101")
    assert payload.strip() in answer


def test_p15_a_detached_exec_stays_http(mallory: User, field: Ground) -> None:
    container = mallory.runs("mine")
    made = mallory.call("POST", f"/v1.41/containers/{container}/exec", {"Cmd": ["sleep", "9"]})
    before = field.ids()
    first = post(f"/v1.41/exec/{made.json['Id']}/start", b'{"Detach":true}', "Connection: Upgrade", "Upgrade: tcp")
    found = statuses(mallory.raw(first + post(CREATE, PRIVILEGED)))
    assert found in ([200, 403], [200])
    assert field.ids() == before


def test_p16_upgrades_elsewhere(mallory: User) -> None:
    answer = mallory.raw(b"GET /v1.41/containers/json HTTP/1.1\r\nHost: d\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                         b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", seconds=1)  # fmt: skip
    assert statuses(answer) == [200]
    assert statuses(mallory.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) == [400]


def test_p17_large_heads(mallory: User) -> None:
    many = b"GET /_ping HTTP/1.1\r\nHost: d\r\n" + b"X: y\r\n" * 10_000 + b"\r\n"
    large = b"GET /_ping HTTP/1.1\r\nHost: d\r\nX: " + b"y" * (1 << 20) + b"\r\n\r\n"
    for head in (many, large):
        assert statuses(mallory.raw(head)) == [431]


def usually(user: User) -> float:
    """How many seconds one of her requests takes."""
    took = []
    for _ in range(100):
        began = time.perf_counter()
        assert user.call("GET", "/v1.41/containers/json").status == 200
        took.append(time.perf_counter() - began)
    return statistics.median(took)


@pytest.mark.slow
def test_p17_slow_and_many_connections(mallory: User, alice: User) -> None:
    """Mallory opens all she can and sends a byte now and then; alice does not notice."""
    open_: list[socket.socket] = []
    turned_away = 0
    try:
        with people.acting_as(mallory.person):
            open_ += [connected(mallory.gateway) for _ in range(CONNECTIONS_PER_USER + 300)]
        for sock in open_:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(b"GET /v1.41/containers/json HTT")
        for sock in open_[-50:]:
            turned_away += statuses(sock.recv(4096)) == [429]
        assert turned_away == 50
        assert usually(alice) < 0.05
        assert open_[0].recv(100) == b""  # a head that takes longer than ten seconds is no request
    finally:
        for sock in open_:
            sock.close()
    assert mallory.call("GET", "/v1.41/containers/json").status == 200


def test_p19_methods(mallory: User) -> None:
    for method in ("get", "TRACE", "CONNECT", "FROB", "OPTIONS1"):
        assert statuses(mallory.raw(f"{method} /v1.41/containers/json HTTP/1.1\r\nHost: d\r\n\r\n".encode())) == [405]
    container = mallory.runs("mine")
    found = mallory.call("GET", f"/v1.41/containers/{container}", X_HTTP_Method_Override="DELETE")
    assert found.status == 403
    kept = mallory.call("GET", f"/v1.41/containers/{container}/json", X_HTTP_Method_Override="POST")
    assert kept.status == 200


def test_p20_expect_before_a_denied_body(mallory: User) -> None:
    head = post("/v1.41/swarm/join", b"", "Expect: 100-continue", "Content-Length: 1000000", length=False)
    answer = mallory.raw(head)
    assert statuses(answer) == [403]
    denied = mallory.raw(
        post("/v1.41/plugins/create?name=x", b"", "Expect: 100-continue", "Content-Length: 9999", length=False)
    )
    assert statuses(denied) == [403]
    wanted = mallory.raw(post(CREATE, b"", "Expect: 100-continue", "Content-Length: 2", length=False), seconds=1)
    assert statuses(wanted) == [100]


def test_p21_half_close_and_resets(mallory: User, field: Ground) -> None:
    container = mallory.runs("mine")
    done = mallory.docker("exec", "-i", container, "sh", "-c", "cat; echo end", given="words\n")
    assert done.out == "words\nend\n"
    program = field.programs["ds01-gateway"].pid
    before = len(os.listdir(f"/proc/{program}/fd"))
    for _ in range(20):
        made = mallory.call("POST", f"/v1.41/containers/{container}/exec",
                            {"Cmd": ["sleep", "60"], "AttachStdin": True, "AttachStdout": True})  # fmt: skip
        sock = mallory.connect()
        sock.sendall(post(f"/v1.41/exec/{made.json['Id']}/start", b"{}", "Connection: Upgrade", "Upgrade: tcp"))
        assert sock.recv(100).startswith(b"HTTP/1.1 101")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    follow = mallory.connect()
    follow.sendall(f"GET /v1.41/containers/{container}/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    assert follow.recv(100).startswith(b"HTTP/1.1 200")
    follow.close()
    wait(lambda: len(os.listdir(f"/proc/{program}/fd")) <= before)


def test_p21_the_other_side_dies_mid_stream(mallory: User, field: Ground) -> None:
    container = mallory.runs("mine")
    follow = mallory.connect()
    follow.sendall(f"GET /v1.41/containers/{container}/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    assert follow.recv(100).startswith(b"HTTP/1.1 200")
    field.root("POST", f"/containers/{container}/kill")
    rest = b""
    while chunk := follow.recv(4096):
        rest += chunk
    follow.close()
    assert rest.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: x", "a\nb", "a\x00b", "a\u2028b", "\r\n\r\n"])
def test_p23_names_that_would_split_an_answer(mallory: User, field: Ground, name: str) -> None:
    before = field.ids()
    answer = mallory.raw(
        post(f"{CREATE}?name={quote(name)}", json.dumps({"Image": IMAGE}).encode(), "Connection: close")
    )
    assert statuses(answer) == [400]
    assert b"\r\nSet-Cookie" not in answer
    assert field.ids() == before
    hostile = mallory.create("", Labels={"a\r\nSet-Cookie: x": "y"})
    assert hostile.status == 400


def test_nothing_wrong_was_logged(field: Ground) -> None:
    """After all of the above: no handler failed, and the gateway is the one that was started."""
    assert '"event": "internal"' not in field.log("ds01-gateway")
    assert field.programs["ds01-gateway"].poll() is None
    assert Path(f"/proc/{field.programs['ds01-gateway'].pid}").exists()
