"""What a shell in a container says of the commands that are the server's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ds01.cli.call import Call
from ds01.cli.shell import greet
from ds01.cli.talk import talk
from ds01.cli.variables import shell_variables
from ds01.domain.terminal import terminal
from tests.unit.cli import values

INSIDE = (
    "You are inside the container thesis;\nds01 and docker are commands of the server. Type 'exit' first.\n"
)  # fmt: skip


def typed(line: str, path: Path, *, simulated: bool = False, rc: str = "") -> subprocess.CompletedProcess[str]:
    """A line in such a bash, where only the programs in ``path`` are found."""
    start = path / "bashrc"
    start.write_text(rc)
    return subprocess.run(
        ["/bin/bash", "--rcfile", str(start), "-i"], input=f"{line}\nexit $?\n", capture_output=True, text=True,
        env={**shell_variables("thesis", simulated=simulated), "PATH": str(path), "HOME": str(path)}, timeout=30,
    )  # fmt: skip


@pytest.mark.parametrize("line", ["ds01 retire thesis", "docker ps"])
@pytest.mark.parametrize("simulated", [False, True])
def test_the_servers_commands_say_where_they_are(line: str, tmp_path: Path, simulated: bool) -> None:
    ran = typed(line, tmp_path, simulated=simulated)
    assert INSIDE in ran.stderr
    assert ran.returncode == 127


def test_other_words_are_not_found_as_ever(tmp_path: Path) -> None:
    ran = typed("nvtpo", tmp_path)
    assert "bash: nvtpo: command not found" in ran.stderr
    assert "inside" not in ran.stderr
    assert ran.returncode == 127


def test_a_docker_of_the_image_is_the_one_that_runs(tmp_path: Path) -> None:
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\necho its own $1\n")
    program.chmod(0o755)
    ran = typed("docker ps", tmp_path)
    assert "its own ps" in ran.stdout
    assert "inside" not in ran.stderr


def test_what_the_image_says_of_unknown_commands_stays(tmp_path: Path) -> None:
    ran = typed("ds01 list", tmp_path, rc="command_not_found_handle() { echo the image knows no $1; return 127; }")
    assert "the image knows no ds01" in ran.stdout


def test_a_shell_is_told_of_it_whatever_the_name() -> None:
    longest = shell_variables("n" * 128, simulated=True)
    assert terminal("/dev/pts/1", longest, longest).environment == longest


def test_the_greeting_says_where_retire_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    greet(Call(path="launch", talk=talk()), values.busy("thesis"), simulated=False)
    said = " ".join(capsys.readouterr().err.split())
    assert "Leave with 'exit': the container goes on. Then, on the server, 'ds01 retire thesis' ends it" in said
