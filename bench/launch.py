"""Launch of a project's built image, to a shell that answers, against docker run of the same image.

A launched container is in a network of its user's, and closing a shell in it ends nothing. What that costs with
Docker's own commands, by an exec, is the second peer.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from dev.people import person
from dev.promises.lab import Lab
from dev.promises.terminal import Terminal

from bench.row import Row, added, p50, p95
from bench.stage import server
from ds01.domain.names import image_repository

TIMES = 20
PROJECT = "bench"
NETWORK = "bench-own"


def measure() -> Iterator[Row]:
    """Interleaved; the containers are removed outside the measurement."""
    lab = server()
    lab.ada.project(PROJECT)
    ours, theirs, same = [], [], []
    _docker(lab, "network", "create", NETWORK)
    for _ in range(TIMES):
        ours.append(_ours(lab))
        theirs.append(_theirs(lab))
        same.append(_same(lab))
    yield added("launch to first prompt", p50(ours), "docker run", p50(theirs), 100)
    yield added("launch to first prompt", p95(ours), "docker run", p95(theirs), 200, which="p95")
    yield added("launch, the same by docker's commands", p50(ours), "docker run -d, exec", p50(same), 100)


def _ours(lab: Lab) -> float:
    command = ("launch", PROJECT, "--gpus", "1", "--yes")
    milliseconds = _prompt(Terminal(lab.ada.person, str(lab.ada.commands / "ds01"), *command))
    lab.ada.ds01("retire", PROJECT, "--yes")
    return milliseconds


def _theirs(lab: Lab) -> float:
    return _prompt(Terminal(person("root"), *_command(lab), "run", "--rm", "-it", "--init", _image(lab), "bash"))


def _same(lab: Lab) -> float:
    """A container that stays, in a network of its own, and a shell in it."""
    docker = " ".join(_command(lab))
    run = f"{docker} run -d --init --network {NETWORK} --name bench-same {_image(lab)} sleep infinity"
    milliseconds = _prompt(
        Terminal(person("root"), "sh", "-c", f"{run} >/dev/null && exec {docker} exec -it bench-same bash")
    )
    _docker(lab, "rm", "--force", "bench-same")
    return milliseconds


def _image(lab: Lab) -> str:
    return f"{image_repository(lab.ada.uid, PROJECT)}:latest"


def _command(lab: Lab) -> tuple[str, ...]:
    return "docker", "-H", f"unix://{lab.stack.engine}"


def _docker(lab: Lab, *words: str) -> None:
    subprocess.run([*_command(lab), *words], check=True, stdout=subprocess.DEVNULL)


def _prompt(terminal: Terminal) -> float:
    seconds = terminal.answers()
    terminal.types("exit\n")
    terminal.ends()
    return seconds * 1000
