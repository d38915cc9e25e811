"""The server that benchmarks run on: one for the whole run, on an engine of its own, gone at the end."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

from dev import engine26, stack, tiny
from dev.promises.lab import Lab, close_lab, open_lab

MANY = 200
"""How many containers a busy server has."""

GPUS = (*["a100-40gb"] * 5, *["a100-40gb: 3g.20gb 2g.10gb 2g.10gb"] * 2, "a100-40gb:" + " 1g.5gb" * 7)
"""Eight, three of them divided: 18 slots."""

LEFT = 2
"""Slots that a crowd leaves to whoever is measured beside it: there is work on every GPU."""

TOGETHER = 50
"""How many containers share one of its user's networks."""

ENGINE = "DS01_BENCH_ENGINE"
"""Set to 26: on Docker Engine 26 instead of the one this machine has."""


@cache
def server() -> Lab:
    """A stack with two users and the small and the usual base."""
    folder = tempfile.mkdtemp(prefix="ds01b", dir="/var/tmp")
    Path(folder).chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(stack.down, f"{folder}/s")
    newer = engine26.programs() if os.environ.get(ENGINE) == "26" else None
    running = stack.up(f"{folder}/s", own_engine=True, engine_programs=newer, gpus=GPUS)
    tiny.install(running.engine)
    lab = open_lab(running, "ds01-bench-a", "ds01-bench-b")
    atexit.register(close_lab, lab)
    return lab


@cache
def crowd() -> Lab:
    """The same server with 200 running containers of one user, on networks of hers, the first ones with all GPUs but
    a bit. They idle, and are left to: who is stopped would be missing in what is measured next.
    """
    lab = server()
    raised = lab.limits({"containers": str(MANY + 50), "gpus.max": str(len(GPUS)), "idle": "7d"})
    raised.__enter__()
    atexit.register(raised.__exit__, None, None, None)
    busy = lab.free_slots() - LEFT
    for number in range(MANY):
        network = f"crowd-{number // TOGETHER}"
        if number % TOGETHER == 0:
            lab.ben.docker("network", "create", network)
        gpu = ("--gpus", "1") if number < busy else ()
        lab.ben.docker(
            "run", "--detach", "--network", network, *gpu, "--name", f"one-of-many-{number}", tiny.REFERENCE, "sleep",
            "100000",
        )  # fmt: skip
    held = {lease["state"] for lease in lab.leases()}, len(lab.leases())
    assert held == ({"active"}, busy), f"{busy} containers should have a GPU: {held}"
    return lab


def taken(function: object) -> float:
    """Milliseconds one call takes."""
    assert callable(function)
    began = time.perf_counter()
    function()
    return (time.perf_counter() - began) * 1000
