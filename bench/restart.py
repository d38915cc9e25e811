"""ds01d killed and started again on a server with 500 containers: the time until it answers, with everything known."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev import engine, stack, tiny
from dev.promises.lab import Lab

from bench.row import Row, p50
from bench.stage import MANY, crowd

ALL = 500
TIMES = 5


def measure() -> Iterator[Row]:
    """From the start of the process to the list of all containers."""
    lab = crowd()
    with lab.limits({"containers": str(ALL + 50)}):
        more = [f"one-more-{number}" for number in range(ALL - MANY)]
        for name in more:
            lab.ben.docker("create", "--network", "none", "--name", name, tiny.REFERENCE, "true")
    program = lab.stack.ds01d
    assert program is not None
    command = Path(f"/proc/{program.pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    os.kill(program.pid, signal.SIGKILL)
    seconds = [_start(lab, command) for _ in range(TIMES)]
    stack.up(str(lab.stack.state), own_engine=True)
    lab.ben.docker("rm", "--force", *more)
    yield Row(
        path=f"ds01d from killed to serving, {ALL} containers", ours=p50(seconds), unit="s", rule="≤ 5 s",
        judged=p50(seconds), budget=5,
    )  # fmt: skip


def _start(lab: Lab, command: list[bytes]) -> float:
    while engine.answers(lab.stack.api, "/v1/ping"):
        time.sleep(0.05)
    began = time.monotonic()
    with _running(command):
        while not engine.answers(lab.stack.api, "/v1/ping"):
            time.sleep(0.005)
        known = json.loads(engine.get(lab.stack.api, "/v1/containers?all=1"))
        taken = time.monotonic() - began
    assert len(known) >= ALL, len(known)
    return taken


@contextmanager
def _running(command: list[bytes]) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
