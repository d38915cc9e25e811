"""A newcomer's first minute: from an account that has nothing to a shell with a GPU, and her second project after that.

Setup is answered as fast as it asks, so this is what DS01 takes and not how fast somebody types. The base is on the
server, as an admin leaves it; the project is blank, so that no package index is in the figure. The first can be taken
only once in a run: what was built then is there afterwards.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dev.promises.lab import Student
from dev.promises.terminal import Terminal

from bench.row import Row
from bench.stage import server

LOGIN = "ds01-bench-new"
FIRST_SECONDS, SECOND_SECONDS = 60, 15


def measure() -> Iterator[Row]:
    """Each once."""
    newcomer = server().student(LOGIN)
    newcomer.shell("rm -rf ~/workspace ~/.ssh ~/.local/state/ds01")
    with tempfile.TemporaryDirectory() as folder:
        key = _public_key(Path(folder))
    yield _row("from nothing to a shell, warm base (setup, launch)", _first(newcomer, key), FIRST_SECONDS)
    newcomer.retires_all()
    yield _row("a second project to a shell (init, launch)", _second(newcomer), SECOND_SECONDS)
    newcomer.retires_all()


def _first(newcomer: Student, key: str) -> float:
    began = time.perf_counter()
    setup = _on(newcomer, "setup")
    for question, answer in (("1/3", key), ("2/3", "first"), ("3/3", "blank")):
        setup.shows(question)
        setup.types(f"{answer}\n")
    setup.ends()
    return _shell(newcomer, "first", began)


def _second(newcomer: Student) -> float:
    began = time.perf_counter()
    newcomer.ds01("init", "second", "--type", "blank", "--no-input")
    return _shell(newcomer, "second", began)


def _shell(newcomer: Student, project: str, began: float) -> float:
    """Seconds until the shell does as it is told."""
    launch = _on(newcomer, "launch", project, "--gpus", "1", "--yes")
    launch.answers()
    seconds = time.perf_counter() - began
    launch.types("exit\n")
    launch.ends()
    return seconds


def _on(newcomer: Student, *words: str) -> Terminal:
    return Terminal(newcomer.person, str(newcomer.commands / "ds01"), *words)


def _public_key(folder: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-C", "laptop", "-f", folder / "key"], check=True)
    return (folder / "key.pub").read_text().strip()


def _row(path: str, seconds: float, budget: int) -> Row:
    return Row(path=path, ours=seconds, unit="s", rule=f"at most {budget} s", judged=seconds, budget=budget)
