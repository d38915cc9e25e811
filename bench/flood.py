"""What one user notices of another who tries for 10,000 connections, and holds all that she gets."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from dev.programs import until
from dev.promises.lab import Lab, expect

from bench.gateway import Line
from bench.row import Row, interleaved, p50, p99
from bench.stage import server
from ds01.gateway.identity import CONNECTIONS_PER_USER

CONNECTIONS, ASKED = 10_000, 400
SETTLED_SECONDS = 5
"""How long at most until all are turned away that are one too many; a begun request is waited for twice as long."""
FLOOD = """
import resource, signal, socket, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
def begun():
    one = socket.socket(socket.AF_UNIX)
    one.connect(sys.argv[1])
    try:
        one.sendall(b"GET /v1.41/containers/json HTT")
    except (BrokenPipeError, ConnectionResetError):
        pass
    one.setblocking(False)
    return one
def held(one):
    try:
        one.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except ConnectionResetError:
        pass
    return False
every = [begun() for _ in range(int(sys.argv[2]))]
while True:
    print(sum(map(held, every)), flush=True)
    signal.sigwait({signal.SIGUSR1})
"""
"""Connects so many times and begins a request on each. Says how many of them are neither answered nor closed, and again
at each SIGUSR1.
"""


def measure() -> Iterator[Row]:
    """A small request of a user's, meanwhile."""
    lab = server()
    ben = Line(lab.stack.door, lab.ben.person)
    asks = partial(ben.asks, "GET", "/containers/json")
    with flooded(lab) as held:
        settled = until(lambda: held() == CONNECTIONS_PER_USER, SETTLED_SECONDS)
        (taken,) = interleaved(ASKED, asks)
        after = held()
    expect(settled and after == CONNECTIONS_PER_USER, f"she held {after} connections, not {CONNECTIONS_PER_USER}")
    for which, found in (("p50", p50(taken)), ("p99", p99(taken))):
        path = f"gateway, list, another tries {CONNECTIONS:,} connections ({which})"
        yield Row(path=path, ours=found, unit="ms", rule="at most 50 ms", judged=found, budget=50)


@contextmanager
def flooded(lab: Lab) -> Iterator[Callable[[], int]]:
    """While the other user holds her connections, and how many they are."""
    words = ["/usr/bin/python3", "-c", FLOOD, lab.stack.door, str(CONNECTIONS)]
    flood = lab.ada.person.start(*words, out=subprocess.PIPE)
    assert flood.stdout is not None
    said = flood.stdout.readline

    def held() -> int:
        flood.send_signal(signal.SIGUSR1)
        return int(said())

    try:
        expect(said(), "the connections could not be made")
        yield held
    finally:
        flood.kill()
        flood.communicate()
