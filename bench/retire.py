"""Retire of a well-behaved container against docker rm -f of a like one."""

from __future__ import annotations

from collections.abc import Iterator

from dev import base

from bench.row import Row, added, p50
from bench.stage import server, taken

TIMES = 20
PROJECT = "bench"


def measure() -> Iterator[Row]:
    """Interleaved; the containers are made outside the measurement."""
    lab = server()
    if not lab.ada.workspace(PROJECT).exists():
        lab.ada.ds01("init", PROJECT, "--type", "blank", "--no-input")
    ours, theirs = [], []
    for _ in range(TIMES):
        lab.ada.ds01("launch", PROJECT, "--image", base.REFERENCE, "--gpus", "1", "--background", "--yes")
        ours.append(taken(lambda: lab.ada.ds01("retire", PROJECT, "--yes")))
        lab.engine("run", "--detach", "--name", "peer", "--init", base.REFERENCE, "sleep", "1000")
        theirs.append(taken(lambda: lab.engine("rm", "--force", "peer")))
    yield added("retire", p50(ours), "docker rm -f", p50(theirs), 150)
