"""The gateway against the engine's own socket: small requests, create, exec, a byte to and fro."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

from dev import tiny
from dev.people import Person, acting_as, person
from dev.promises.lab import Lab

from bench.row import Row, added, interleaved, p50, p99
from bench.stage import server

UNARY, CREATES, BYTES = 400, 25, 300
RUNS = 1000
"""The engine takes 70 ms and more for one, and not always the same: what is added shows in the median of many."""

MADE = 60
"""Commands that are made and not started: a few more, and the gateway would look at how many there are."""

API = "/v1.41"


class Line(http.client.HTTPConnection):
    """A connection that is kept, an ordinary user's to the gateway or root's to the engine. Either is made as somebody:
    that takes its time, too.
    """

    def __init__(self, path: str, person: Person) -> None:
        super().__init__("engine", timeout=600)
        self._path = path
        self._person = person

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with acting_as(self._person):
            self.sock.connect(self._path)

    def asks(self, method: str, target: str, body: object = None) -> Any:
        """One request; the answer's JSON, or None."""
        text = None if body is None else json.dumps(body)
        self.request(method, API + target, text, {} if body is None else {"Content-Type": "application/json"})
        answer = self.getresponse()
        content = answer.read()
        assert answer.status < 400, f"{method} {target}: {answer.status} {content!r}"
        return json.loads(content) if content.startswith((b"{", b"[")) else None


def measure() -> Iterator[Row]:
    """Ours through the gateway as a user, the peer straight at the engine as root."""
    lab = server()
    lab.ada.docker("run", "--detach", "--name", "subject", tiny.REFERENCE, "sleep", "100000")
    subject = str(lab.ada.container("subject")["id"])
    ours, theirs = lines(lab)
    yield from _unary(ours, theirs, subject)
    yield from _create(ours, theirs)
    yield from _run(ours, theirs, subject)
    yield _made_at_once(ours, theirs, subject)
    yield _to_and_fro(ours, theirs, subject)
    lab.ada.docker("rm", "--force", "subject")


def lines(lab: Lab) -> tuple[Line, Line]:
    """A user's connection to the gateway, and root's to the engine."""
    return Line(lab.stack.door, lab.ada.person), Line(lab.stack.engine, person("root"))


def _unary(ours: Line, theirs: Line, subject: str) -> Iterator[Row]:
    for name, target in (("ping", "/_ping"), ("list", "/containers/json"), ("inspect", f"/containers/{subject}/json")):
        yield from unary(name, ours, theirs, target)


def unary(name: str, ours: Line, theirs: Line, target: str) -> Iterator[Row]:
    """A small request through the gateway and straight."""
    mine, peer = interleaved(UNARY, partial(ours.asks, "GET", target), partial(theirs.asks, "GET", target))
    yield added(f"gateway, {name}", p50(mine), "engine", p50(peer), 1)
    yield added(f"gateway, {name}", p99(mine), "engine", p99(peer), 5, which="p99")


def _create(ours: Line, theirs: Line) -> Iterator[Row]:
    body = {"Image": tiny.REFERENCE, "Cmd": ["true"]}
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(CREATES):
        for line, times in zip((ours, theirs), taken, strict=True):
            began = time.perf_counter()
            made = line.asks("POST", "/containers/create", body)["Id"]
            times.append((time.perf_counter() - began) * 1000)
            line.asks("DELETE", f"/containers/{made}?force=1")
    yield added("gateway, create", p50(taken[0]), "engine", p50(taken[1]), 30)


def _made_at_once(ours: Line, theirs: Line, subject: str) -> Row:
    """Commands that are only made, one after another: nothing runs in between, so every program has at hand what it
    needs.
    """
    mine, peer = interleaved(MADE, *[partial(_made, line, subject) for line in (ours, theirs)])
    return added("gateway, exec made, nothing run between", p50(mine), "engine", p50(peer), 1)


def _made(line: Line, subject: str) -> str:
    return str(line.asks("POST", f"/containers/{subject}/exec", {"AttachStdout": True, "Cmd": ["true"]})["Id"])


STEPS = ("made", "started and ended", "asked for its end")
"""The requests of a command. The second is as long as the command, and its spread is the engine's."""


def _run(ours: Line, theirs: Line, subject: str) -> Iterator[Row]:
    """A command in the container, from asking for it until its exit code is known: each step, and all of it."""
    taken: dict[Line, list[tuple[float, ...]]] = {ours: [], theirs: []}
    for _ in range(RUNS):
        for line, times in taken.items():
            times.append(_steps(line, subject))
    mine, peer = ([*zip(*times, strict=True)] for times in taken.values())
    for name, here, there in zip(STEPS, mine, peer, strict=True):
        yield added(f"gateway, exec {name}", p50(here), "engine", p50(there), 1)
    all_mine, all_peer = ([sum(steps) for steps in times] for times in taken.values())
    yield added("gateway, exec round trip", p50(all_mine), "engine", p50(all_peer), 3)
    yield added("gateway, exec round trip", p99(all_mine), "engine", p99(all_peer), 15, which="p99")


def _steps(line: Line, subject: str) -> tuple[float, ...]:
    """Milliseconds of each step of one command."""
    began = time.perf_counter()
    made = _made(line, subject)
    known = time.perf_counter()
    line.asks("POST", f"/exec/{made}/start", {"Detach": False})
    ended = time.perf_counter()
    assert line.asks("GET", f"/exec/{made}/json")["ExitCode"] == 0
    return tuple(1000 * (b - a) for a, b in pairwise((began, known, ended, time.perf_counter())))


def _to_and_fro(ours: Line, theirs: Line, subject: str) -> Row:
    """A byte typed into ``cat`` on a terminal in the container, until its echo is back."""
    streams = [_exec(line, subject) for line in (ours, theirs)]
    mine, peer = interleaved(BYTES, *[partial(_echo, stream) for stream in streams])
    for stream in streams:
        stream.close()
    return added("gateway, a byte to a terminal and back", p50(mine), "engine", p50(peer), 1)


def _exec(line: Line, subject: str) -> socket.socket:
    wanted = {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True, "Tty": True, "Cmd": ["cat"]}
    made = line.asks("POST", f"/containers/{subject}/exec", wanted)["Id"]
    headers = {"Content-Type": "application/json", "Connection": "Upgrade", "Upgrade": "tcp"}
    line.request("POST", f"{API}/exec/{made}/start", json.dumps({"Detach": False, "Tty": True}), headers)
    stream = line.sock
    head = b""
    while b"\r\n\r\n" not in head:
        head += stream.recv(4096)
    assert b" 101 " in head, head
    line.sock = None
    return stream


def _echo(stream: socket.socket) -> None:
    stream.sendall(b"x")
    while b"x" not in stream.recv(64):
        pass
