"""Ctrl-C in the middle of every command that goes through steps: it says what stands, and nothing is left half done."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from dev import programs
from dev.people import Person
from dev.promises.lab import Lab
from dev.promises.terminal import Terminal
from ruamel.yaml import YAML

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]

TRIES = 10
"""How often a command may be done before its key comes."""
SLOW = "FROM ds01/minimal\nRUN sleep 60\n"
MUTE = """#!/bin/sh
exec sleep 600
"""
"""A program that starts and never answers."""


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A command, its answers, the text it is broken off at, what it says then, and what has to hold afterwards."""

    typed: tuple[str, ...]
    at: str
    says: str
    answers: tuple[tuple[str, str], ...] = ()
    before: Callable[[Lab], object] = lambda lab: None
    holds: Callable[[Lab], bool]


def slow(name: str) -> Callable[[Lab], object]:
    """A project whose image takes a minute."""

    def make(lab: Lab) -> None:
        folder = lab.ada.workspace(name)
        lab.ada.shell(f"rm -rf {folder}")
        lab.ada.ds01("init", name, "--blank")
        lab.ada.shell(f"printf '{SLOW}' > {folder}/Dockerfile")
        file = folder / "ds01.toml"
        file.write_text(file.read_text().replace("[image]", '[image]\ndockerfile = "Dockerfile"'))

    return make


def no_image(name: str) -> Callable[[Lab], bool]:
    """Nothing was built, no container was made, and nobody has a GPU."""
    return lambda lab: lab.ada.tries("image", "show", name).code == 4 and not lab.ada.has(name) and lab.leases() == []


def full(lab: Lab) -> None:
    """Nobody can have a GPU."""
    lab.ada.project("thesis")
    lab.root_says("admin", "drain", "all")


def places(lab: Lab) -> list[str]:
    """Who waits."""
    return [place["name"] for place in lab.ada.data("queue")["places"]]


def measured(lab: Lab) -> None:
    """A project with a result."""
    lab.ada.project("thesis")
    lab.ada.shell("echo 0.93 > ~/workspace/thesis/accuracy.txt")


def busy(lab: Lab) -> None:
    """A container of it."""
    measured(lab)
    lab.ada.launches("thesis", gpus=1)


def whole(lab: Lab) -> bool:
    """The container is there or it is not; its GPU is as it is, and the file is where it was."""
    held = [lease for lease in lab.leases() if lease["state"] == "active"]
    there = lab.ada.has("thesis") and lab.ada.container("thesis")["state"] == "running"
    return len(held) == int(there) and (lab.ada.workspace("thesis") / "accuracy.txt").read_text() == "0.93\n"


def nothing(*paths: str) -> Callable[[Lab], bool]:
    """None of these is in her home."""
    return lambda lab: not any((lab.ada.person.home / path).exists() for path in paths)


def two_builds(lab: Lab) -> None:
    """A project that can be gone back with."""
    lab.ada.project("thesis", "six==1.16.0")
    lab.ada.project("thesis", "six>=1.17")


def newer(lab: Lab) -> bool:
    """It was not gone back with: neither the file nor the image."""
    file = (lab.ada.workspace("thesis") / "ds01.toml").read_text()
    return "six>=1.17" in file and lab.ada.data("image", "show", "thesis")["image"]["stale"] == ""


def many_files(lab: Lab) -> None:
    """A project that is not opened at once."""
    lab.ada.project("thesis")
    lab.ada.shell("cd ~/workspace/thesis && mkdir -p many && cd many && seq 60000 | xargs touch")


def closed_again(lab: Lab) -> bool:
    """Nobody reads half of it, and it can be taken back."""
    folder = lab.ada.workspace("thesis")
    halves = lab.ben.person.run("ls", str(folder / "many")).code == 0
    lab.ada.ds01("project", "share", "thesis", "--with", lab.ben.person.login, "--stop")
    return not halves and lab.ada.data("project", "share", "thesis") == []


def mute_jupyter(lab: Lab) -> None:
    """A container with a JupyterLab that never answers."""
    lab.ada.project("thesis")
    lab.ada.launches("thesis")
    lab.ada.inside("thesis", f"f=$(dirname $(command -v python))/jupyter-lab; printf '{MUTE}' > $f; chmod +x $f")


def no_jupyter(lab: Lab) -> bool:
    """It was ended, and the container goes on."""
    running = lab.ada.inside("thesis", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    return "sleep 600" not in running and lab.ada.container("thesis")["state"] == "running"


def no_project(lab: Lab) -> None:
    """Somebody who has nothing."""
    lab.ada.shell("rm -rf ~/workspace ~/.ssh; mkdir -p ~/.local/state/ds01; echo used > ~/.local/state/ds01/level")


CASES = {
    "a launch that builds": Broken(
        typed=("launch", "slow"), at="sleep 60", says="was not built", before=slow("slow"), holds=no_image("slow")
    ),
    "a run that builds": Broken(
        typed=("run", "--project", "slow", "--", "true"), at="sleep 60", says="was not built", before=slow("slow"),
        holds=lambda lab: no_image("slow")(lab) and lab.ada.data("runs") == [],
    ),
    "a launch that waits": Broken(
        typed=("launch", "thesis", "--gpus", "1", "--wait"), at="waits", says="gave your place in the queue up",
        before=full, holds=lambda lab: places(lab) == [] and not lab.ada.has("thesis"),
    ),
    "a launch that waits in the background": Broken(
        typed=("launch", "thesis", "--gpus", "1", "--wait", "--background"), at="waits", says="stays: ds01 queue",
        before=full, holds=lambda lab: places(lab) == ["thesis"] and not lab.ada.has("thesis"),
    ),
    "a launch that creates": Broken(
        typed=("launch", "thesis", "--gpus", "1", "--background"), at="Creating the container",
        says="may still come up", before=measured, holds=whole,
    ),
    "a container that is replaced": Broken(
        typed=("launch", "thesis", "--gpus", "1", "--recreate", "--background"), at="Stopping the old container",
        says="may still come up", answers=(("Replace thesis", "y"),), before=busy, holds=whole,
    ),
    "a new project's questions": Broken(
        typed=("init", "paper"), at="What is it for?", says="Nothing was left half done", before=no_project,
        holds=nothing("workspace/paper"),
    ),
    "setup between key and project": Broken(
        typed=("setup",), at="--project", says="Nothing was left half done", answers=(("--key", "KEY"),),
        before=no_project, holds=nothing(".ssh", "workspace/thesis"),
    ),
    "a clone while git waits": Broken(
        typed=("project", "clone", "git://127.0.0.1:PORT/paper.git"), at="Cloning into", says="Nothing was kept",
        before=no_project, holds=lambda lab: lab.ada.shell("ls -A ~/workspace") == "",
    ),
    "a project while it is opened": Broken(
        typed=("project", "share", "thesis", "--with", "BEN"), at="Opening", says="--stop takes it back",
        before=many_files, holds=closed_again,
    ),
    "the question of a rollback": Broken(
        typed=("image", "rollback", "thesis"), at="Write that into the project file", says="Nothing was left half done",
        before=two_builds, holds=newer,
    ),
    "JupyterLab while it starts": Broken(
        typed=("jupyter", "thesis"), at="Starting JupyterLab", says="JupyterLab was not started",
        before=mute_jupyter, holds=no_jupyter,
    ),
    "a job that is waited for": Broken(
        typed=("run", "--project", "thesis", "--wait", "--", "sleep", "600"), at="is running", says="goes on",
        before=measured, holds=lambda lab: [job["state"] for job in lab.ada.data("runs", "--open")] != [],
    ),
}  # fmt: skip


@pytest.fixture
def quiet(lab: Lab) -> Iterator[Lab]:
    """A lab in which nothing goes on, before and after."""
    lab.fresh()
    yield lab
    lab.root_says("admin", "undrain", "all")
    for waiting in places(lab):
        lab.ada.tries("cancel", waiting, "--yes")
    for job in lab.ada.data("runs", "--open"):
        lab.ada.tries("cancel", job["name"], "--yes")
    lab.fresh()


@pytest.fixture(scope="module")
def public_key(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A laptop's public key."""
    file = tmp_path_factory.mktemp("laptop") / "key"
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-C", "laptop", "-f", file], check=True)
    return file.with_suffix(".pub").read_text().strip()


@pytest.fixture(scope="module")
def silent() -> Iterator[int]:
    """The port of a server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def on(person: Person, commands: Path, *words: str) -> Terminal:
    """Type a command where the terminal is so wide that no sentence is broken."""
    wide = replace(person, extra={**person.extra, "NO_COLOR": "1"})
    return Terminal(wide, str(commands / "ds01"), *words, columns=200)


def broken_off(terminal: Terminal, at: str) -> str:
    """Ctrl-C when this is on the screen; what it says then, nothing when it was done before the key came."""
    terminal.shows(at)
    terminal.types("\x03")
    code = terminal.ends()
    if code == 0:
        return ""
    assert code == 130, terminal.last
    assert "Interrupted. " in terminal.last
    return terminal.last


@pytest.mark.parametrize("name", CASES)
def test_ctrl_c_says_what_stands_and_leaves_nothing_half_done(
    quiet: Lab, public_key: str, silent: int, name: str
) -> None:
    case = CASES[name]
    filled = {"KEY": public_key, "PORT": str(silent), "BEN": quiet.ben.person.login}
    for _ in range(TRIES):
        if said := interrupted(quiet, case, filled):
            break
        quiet.fresh()
    assert case.says in said
    assert programs.until(lambda: case.holds(quiet), 60)


def interrupted(lab: Lab, case: Broken, filled: dict[str, str]) -> str:
    """What it says when it is broken off; nothing when it was done too soon."""
    case.before(lab)
    terminal = on(lab.ada.person, lab.ada.commands, *(_filled(word, filled) for word in case.typed))
    for question, answer in case.answers:
        terminal.shows(question)
        terminal.types(f"{_filled(answer, filled)}\n")
    return broken_off(terminal, case.at)


def _filled(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(name, value)
    return word


@contextmanager
def catalogue(lab: Lab, reference: str) -> Iterator[None]:
    """A base of this reference in the limits file, and its registry."""
    file = lab.stack.limits
    before = file.read_text()
    yaml = YAML()
    found = yaml.load(before)
    images = found.setdefault("images", {})
    images.setdefault("bases", {})["far"] = {"reference": reference, "description": "far"}
    images["registries"] = [reference.partition("/")[0]]
    with file.open("w") as written:
        yaml.dump(found, written)
    try:
        assert programs.until(lambda: "far" in [base["name"] for base in lab.ada.data("image", "bases")], 60)
        yield
    finally:
        file.write_text(before)


def test_ctrl_c_while_a_base_is_fetched(quiet: Lab, silent: int) -> None:
    with catalogue(quiet, f"127.0.0.1:{silent}/far:1"):
        said = broken_off(on(quiet.ada.person, quiet.ada.commands, "admin", "image", "prefetch", "far"), "Fetching")
    assert "far was not fetched whole" in said
    assert "far" not in quiet.engine("images", "-a")
