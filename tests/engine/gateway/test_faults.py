"""When clients misbehave or a program dies: others notice nothing, memory is bounded, and nothing opens instead."""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import select
import signal
import socket
import subprocess
import termios
import time
from pathlib import Path

import pytest

from ds01.gateway.execs import WAITING
from ds01.gateway.identity import CONNECTIONS_PER_USER
from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import Ground, User, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]
MANY = 10_000
PYTHON = "/usr/bin/python3"
"""One that every account may run."""
MEBI = 1 << 20
CROWD = """
import itertools, resource, socket, sys, time
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
held, many = [], int(sys.argv[2])
for number in itertools.count(1):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(sys.argv[1])
    try:
        sock.sendall(b"GET /v1.41/containers/json HTTP/1.1\\r\\nHost: d\\r\\nX-Slow: ")
    except OSError:
        pass
    held.append(sock)
    if len(held) > min(hard - 50, many):
        held.pop(300 if number <= many else 0).close()
    if number == many:
        print(len(held), flush=True)
    if number >= many and number % int(sys.argv[3]) == 0:
        time.sleep(0.5)
"""
"""Opens as many connections as it is told, and goes on: one that sends no whole request is closed after a while."""


def resident(pid: int) -> int:
    """Bytes of memory a program has."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def unread(sock: socket.socket) -> int:
    """Bytes that have come and that nobody has read."""
    found = array.array("i", [0])
    fcntl.ioctl(sock, termios.FIONREAD, found)
    return found[0]


def works(user: User) -> None:
    """Everything this user does is served."""
    for _ in range(20):
        assert user.call("GET", "/v1.41/containers/json").status == 200


def turned_away(user: User) -> bool:
    """Told so, or not even heard: the connection may be closed before the request is written."""
    try:
        return user.call("GET", "/v1.41/containers/json").status == 429
    except OSError:
        return True


@pytest.mark.slow
def test_p17_ten_thousand_connections_of_one_user(mallory: User, alice: User, field: Ground) -> None:
    pid = field.programs["ds01-gateway"].pid
    before = resident(pid)
    person = mallory.person
    command = [PYTHON, "-IS", "-c", CROWD, field.gateway, str(MANY), str(2 * CONNECTIONS_PER_USER)]
    crowd = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=person.uid, group=person.gid, extra_groups=[],
        cwd="/",
    )  # fmt: skip
    try:
        works(alice)
        assert crowd.stdout is not None
        assert int(crowd.stdout.readline()) >= 300
        wait(lambda: turned_away(mallory))
        works(alice)
        assert alice.docker("run", "--rm", "ds01/tiny", "echo", "fine").out == "fine\n"
        assert len(os.listdir(f"/proc/{pid}/fd")) < 2 * CONNECTIONS_PER_USER + 200
        assert resident(pid) - before < 64 * MEBI
        wait(lambda: turned_away(mallory))
    finally:
        crowd.kill()
        crowd.communicate()
    wait(lambda: not turned_away(mallory))
    works(mallory)


def test_p17_clients_that_never_read(mallory: User, alice: User, field: Ground) -> None:
    """Each log flows until its client's socket is full; a gateway that reads on has the time to."""
    container = mallory.runs("flood")
    flood = ("sh", "-c", "yes $(head -c 4000 /dev/zero | tr '\\0' x) | head -c 6000000 > /proc/1/fd/1")
    assert mallory.docker("exec", container, *flood).code == 0
    pid = field.programs["ds01-gateway"].pid
    before = resident(pid)
    held: list[socket.socket] = []
    try:
        for _ in range(30):
            sock = mallory.connect()
            path = f"/v1.41/containers/{container}/logs?follow=1&stdout=1"
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
            held.append(sock)
        wait(lambda: min(map(unread, held)) > MEBI // 16)
        time.sleep(2)
        works(alice)
        assert resident(pid) - before < 30 * 4 * MEBI
    finally:
        for sock in held:
            sock.close()
    works(mallory)


def test_p17_long_answers_that_nobody_reads(mallory: User, alice: User, field: Ground) -> None:
    """Two hundred times a megabyte: what is kept of them is bounded, and goes back when she leaves."""
    made = mallory.create("long", Cmd=["sleep", "9"], Env=[f"A{number}=" + "x" * 30_000 for number in range(32)])
    assert made.status == 201, made.body
    path = f"/v1.41/containers/{made.json['Id']}/json"
    pid = field.programs["ds01-gateway"].pid
    before = resident(pid)
    held: list[socket.socket] = []
    try:
        for _ in range(200):
            held.append(mallory.connect())
            held[-1].sendall(f"GET {path} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
        for _ in range(3):
            works(alice)
            assert resident(pid) - before < 160 * MEBI
        assert mallory.call("GET", "/v1.41/containers/json?limit=0&filters={}").status == 200
    finally:
        for sock in held:
            sock.close()
    wait(lambda: resident(pid) - before < 64 * MEBI)
    assert len(mallory.call("GET", path).body) > 900_000


def test_p17_archives_that_reach_far_back_and_stop(mallory: User, alice: User, field: Ground) -> None:
    """Of five connections that each would have 128 MB kept, two get as far as that, and a third is told why not."""
    block = b"\x02\x00\x10" + b"\0"
    archive = b"\x28\xb5\x2f\xfd\x00\x88" + block * 1150
    """A stream of zstd that says that it points back 128 MB; each block of it is 128 KB of nothing."""
    pid = field.programs["ds01-gateway"].pid
    before = resident(pid)
    held: list[socket.socket] = []
    try:
        for _ in range(5):
            held.append(mallory.connect())
            head = "POST /v1.41/images/create?fromSrc=- HTTP/1.1\r\nHost: d\r\nContent-Length: 90000\r\n\r\n"
            held[-1].sendall(head.encode() + archive)
        wait(lambda: sum(bool(select.select([sock], [], [], 0)[0]) for sock in held) >= 3)
        works(alice)
        assert resident(pid) - before < 340 * MEBI
        refused = [sock.recv(4096) for sock in held if select.select([sock], [], [], 0)[0]]
        assert all(said.startswith(b"HTTP/1.1 429") for said in refused), refused
    finally:
        for sock in held:
            sock.close()
    wait(lambda: resident(pid) - before < 64 * MEBI)


def test_p17_commands_that_are_never_started(mallory: User, field: Ground) -> None:
    container = mallory.runs("mine")
    path = f"/v1.41/containers/{container}/exec"
    asked = {"Cmd": ["true"], "Env": ["A=" + "x" * 60_000]}
    said = [mallory.call("POST", path, asked) for _ in range(WAITING + 1)]
    assert [reply.status for reply in said] == [201] * WAITING + [429], said[-1].body
    assert "never started" in said[-1].message
    assert len(field.seen(container)["ExecIDs"]) == WAITING
    assert mallory.call("POST", f"/v1.41/exec/{said[0].json['Id']}/start", {"Detach": True}).status == 200
    assert mallory.docker("exec", container, "echo", "fine").out == "fine\n"
    assert mallory.call("POST", f"/v1.41/containers/{container}/restart?t=0").status == 204
    assert mallory.call("POST", path, asked).status == 201


def test_p21_the_gateway_is_killed_in_the_middle_of_a_stream(mallory: User, field: Ground, victim: Victim) -> None:
    container = mallory.runs("mine")
    asked = {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True, "Tty": True}
    made = mallory.call("POST", f"/v1.41/containers/{container}/exec", asked).json["Id"]
    with mallory.connect() as sock:
        sock.sendall(
            f"POST /v1.41/exec/{made}/start HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
            'Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{"Tty":true}'.encode()
        )
        assert sock.recv(4096).startswith(b"HTTP/1.1 101")
        sock.sendall(b"words\n")
        assert b"words" in sock.recv(4096)
        field.stop("ds01-gateway", signal.SIGKILL)
        with contextlib.suppress(ConnectionError):
            while sock.recv(4096):
                pass
    assert field.seen(container)["State"]["Running"]
    refused = socket.socket(socket.AF_UNIX)
    with pytest.raises(OSError, match=r"refused|No such"):
        refused.connect(field.gateway)
    refused.close()
    field.start_gateway()
    assert mallory.docker("exec", container, "echo", "again").out == "again\n"
    assert mallory.call("GET", f"/v1.41/containers/{victim.id}/json").status == 404


def test_without_ds01d_a_refusal_is_a_sentence_and_reads_go_on(mallory: User, field: Ground) -> None:
    container = mallory.runs("mine")
    assert mallory.call("GET", "/v1.41/containers/json").status == 200
    field.stop("ds01d", signal.SIGKILL)
    try:
        refused = mallory.create("new")
        assert (refused.status, "ds01d" in refused.message or "recorded" in refused.message) == (503, True)
        assert refused.message.startswith("DS01: ")
        assert "again" in refused.message
        for path in (f"/containers/{container}/json", f"/containers/{container}/logs?stdout=1", "/containers/json"):
            assert mallory.call("GET", f"/v1.41{path}").status == 200, path
        pull = mallory.docker("pull", "ds01/tiny")
        assert pull.code != 0
        assert field.seen(container)["State"]["Running"]
    finally:
        field.start_ds01d()
    wait(lambda: mallory.docker("volume", "create", "again").code == 0)
    assert mallory.docker("volume", "rm", "again").code == 0
