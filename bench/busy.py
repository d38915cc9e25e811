"""What one user notices of another whose thousand connections always have the next request ready."""

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

CONNECTIONS, ASKED = 1000, 400
SETTLED_SECONDS = 60
"""How long at most until each of them was answered once."""
CROWD = r"""
import selectors, signal, socket, sys
asked = b"GET /v1.41/containers/json HTTP/1.1\r\nHost: engine\r\n\r\n"
every, answers, answered = selectors.DefaultSelector(), 0, set()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
for _ in range(int(sys.argv[2])):
    one = socket.socket(socket.AF_UNIX)
    one.connect(sys.argv[1])
    one.sendall(asked)
    every.register(one, selectors.EVENT_READ)
print("asked", flush=True)
while True:
    if signal.sigtimedwait({signal.SIGUSR1}, 0):
        print(answers, len(answered), flush=True)
    for key, _ in every.select(0.01):
        said = key.fileobj.recv(65536)
        if not said:
            sys.exit("a connection was closed")
        if said.startswith(b"HTTP/1.1 200 "):
            answers += 1
            answered.add(key.fd)
            key.fileobj.sendall(asked)
"""
"""Asks on so many connections, on each again as soon as it is answered. Says at each SIGUSR1 how many answers there
were, and on how many connections.
"""


def measure() -> Iterator[Row]:
    """A small request of a user's, meanwhile."""
    lab = server()
    ben = Line(lab.stack.door, lab.ben.person)
    asks = partial(ben.asks, "GET", "/containers/json")
    with busy(lab) as told:
        settled = until(lambda: told()[1] == CONNECTIONS, SETTLED_SECONDS)
        before, _ = told()
        (taken,) = interleaved(ASKED, asks)
        answers = told()[0] - before
    expect(settled, f"not each of {CONNECTIONS} connections was answered in {SETTLED_SECONDS} seconds")
    expect(answers >= ASKED, f"she had {answers} answers while the other had {ASKED}: that is not busy")
    for which, found in (("p50", p50(taken)), ("p99", p99(taken))):
        path = f"gateway, list, another keeps {CONNECTIONS:,} connections busy ({which})"
        yield Row(path=path, ours=found, unit="ms", rule="at most 50 ms", judged=found, budget=50)


@contextmanager
def busy(lab: Lab) -> Iterator[Callable[[], tuple[int, int]]]:
    """While the other user asks; how often she was answered, and on how many connections."""
    words = ["/usr/bin/python3", "-c", CROWD, lab.stack.door, str(CONNECTIONS)]
    crowd = lab.ada.person.start(*words, out=subprocess.PIPE)
    assert crowd.stdout is not None
    said = crowd.stdout.readline

    def told() -> tuple[int, int]:
        crowd.send_signal(signal.SIGUSR1)
        answers, connections = said().split()
        return int(answers), int(connections)

    try:
        expect(said(), "the connections could not be made")
        yield told
    finally:
        crowd.kill()
        crowd.communicate()
