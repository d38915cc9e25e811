"""What one user notices of another who holds all the connections she can get, and tries for 10,000."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from dev.promises.lab import Lab

from bench.gateway import Line
from bench.row import Row, interleaved, p99
from bench.stage import server

CONNECTIONS, ASKED = 10_000, 400
FLOOD = """
import resource, socket, sys, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
held = []
for _ in range(int(sys.argv[2])):
    one = socket.socket(socket.AF_UNIX)
    one.connect(sys.argv[1])
    try:
        one.sendall(b"GET /v1.41/containers/json HTT")
    except (BrokenPipeError, ConnectionResetError):
        pass
    held.append(one)
print(len(held), flush=True)
time.sleep(3600)
"""
"""Connects so many times, begins a request on each, and holds them."""


def measure() -> Iterator[Row]:
    """A small request of a user's, meanwhile."""
    lab = server()
    ben = Line(lab.stack.door, lab.ben.person)
    asks = partial(ben.asks, "GET", "/containers/json")
    with flooded(lab):
        (taken,) = interleaved(ASKED, asks)
    worst = p99(taken)
    yield Row(path="gateway, list while another holds 10,000 connections (p99)", ours=worst, unit="ms", rule="50 ms",
              judged=worst, budget=50)  # fmt: skip


@contextmanager
def flooded(lab: Lab) -> Iterator[None]:
    """While the other user holds her connections."""
    words = ["/usr/bin/python3", "-c", FLOOD, lab.stack.door, str(CONNECTIONS)]
    flood = lab.ada.person.start(*words, out=subprocess.PIPE)
    try:
        assert flood.stdout is not None
        held = flood.stdout.readline()
        assert int(held) == CONNECTIONS, held
        yield
    finally:
        flood.kill()
        flood.communicate()
