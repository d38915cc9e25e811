"""Launch of a built image, to a shell that answers, against docker run of the same image."""

from __future__ import annotations

from collections.abc import Iterator

from dev import base
from dev.people import person
from dev.promises.lab import Lab
from dev.promises.terminal import Terminal

from bench.row import Row, added, p50, p95
from bench.stage import server

TIMES = 20
PROJECT = "bench"


def measure() -> Iterator[Row]:
    """Interleaved; the containers are removed outside the measurement."""
    lab = server()
    if not lab.ada.workspace(PROJECT).exists():
        lab.ada.ds01("init", PROJECT, "--type", "blank", "--no-input")
    ours, theirs = [], []
    for _ in range(TIMES):
        ours.append(_ours(lab))
        theirs.append(_theirs(lab))
    yield added("launch to first prompt", p50(ours), "docker run", p50(theirs), 100)
    yield added("launch to first prompt", p95(ours), "docker run", p95(theirs), 200, which="p95")


def _ours(lab: Lab) -> float:
    command = ("launch", PROJECT, "--image", base.REFERENCE, "--gpus", "1", "--yes")
    milliseconds = _prompt(Terminal(lab.ada.person, str(lab.ada.commands / "ds01"), *command))
    lab.ada.ds01("retire", PROJECT, "--yes")
    return milliseconds


def _theirs(lab: Lab) -> float:
    run = ("docker", "-H", f"unix://{lab.stack.engine}", "run", "--rm", "-it", "--init", base.REFERENCE, "bash")
    return _prompt(Terminal(person("root"), *run))


def _prompt(terminal: Terminal) -> float:
    seconds = terminal.answers()
    terminal.types("exit\n")
    terminal.ends()
    return seconds * 1000
