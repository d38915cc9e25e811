"""Somebody's first minutes, on a terminal: three questions from nothing to a shell, and nothing to know before."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from dev.promises.lab import Lab, Student
from dev.promises.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]


@pytest.fixture
def newcomer(lab: Lab) -> Iterator[Student]:
    """An account that has nothing yet."""
    student = lab.student("ds01-test-first")
    student.shell("rm -rf ~/workspace ~/.ssh ~/.local/state/ds01")
    yield student
    student.retires_all()


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """The two halves of a laptop's key."""
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-C", "laptop", "-f", tmp_path / "key"], check=True)
    return tmp_path / "key"


def on(student: Student, *words: str) -> Terminal:
    person = replace(student.person, extra={**student.person.extra, "NO_COLOR": "1"})
    return Terminal(person, str(student.commands / "ds01"), *words)


def test_from_nothing_to_a_shell_it_is_three_questions(newcomer: Student, pair: Path) -> None:
    public = pair.with_suffix(".pub").read_text().strip()
    terminal = on(newcomer, "setup")
    terminal.shows("1/3")
    terminal.types("not a key\n")
    terminal.shows("It is no public key")
    terminal.types(f"{public}\n")
    terminal.shows("2/3")
    terminal.types("<\n")
    terminal.shows("1/3")
    terminal.types("\n")
    terminal.shows("2/3")
    terminal.types("thesis\n")
    terminal.shows("3/3")
    terminal.types("blank\n")
    terminal.shows("may log in as you")
    terminal.shows("--project thesis --type blank")
    terminal.shows("Next: ds01 launch thesis")
    assert terminal.ends() == 0
    assert (
        newcomer.shell("cat ~/.ssh/authorized_keys; stat -c %a ~/.ssh ~/.ssh/authorized_keys") == f"{public}\n700\n600"
    )
    shell = on(newcomer, "launch")
    shell.shows("(simulated GPU)")
    shell.types("exit\n")
    assert shell.ends() == 0
    again = on(newcomer, "setup")
    assert "?" not in again.shows("Next:")
    assert again.ends() == 0


def test_a_private_key_that_is_pasted_ends_the_wizard_and_goes_nowhere(newcomer: Student, pair: Path) -> None:
    terminal = on(newcomer, "setup")
    terminal.shows("1/3")
    terminal.types(pair.read_text())
    terminal.shows("That is a private key.")
    assert terminal.ends() == 2
    assert newcomer.shell("ls -A ~/.ssh 2>&1 || true").count("authorized_keys") == 0
    secret = pair.read_text().splitlines()[1][:30]
    assert newcomer.shell(f"grep -rl {secret} ~ || true") == ""


def test_the_form_explains_to_the_new_and_only_asks_those_who_are_used_to_it(newcomer: Student) -> None:
    terminal = on(newcomer, "init")
    terminal.shows("new/used")
    terminal.types("new\n")
    terminal.shows("1/7")
    terminal.types("thesis\n")
    shown = terminal.shows("--type")
    assert "computer vision" in shown
    terminal.types("<\n")
    terminal.shows("1/7")
    terminal.types("paper\n")
    for answer in ("blank", "About cells", "", "n", "n", "n"):
        terminal.types(f"{answer}\n")
    terminal.shows("ds01 init paper --type blank --desc 'About cells'")
    terminal.types("\n")
    terminal.shows("Next: ds01 launch paper")
    assert terminal.ends() == 0
    used = on(newcomer, "init", "second", "--guided")
    assert "new/used" not in used.shows("1/6")
    used.types("\x03")
    assert used.ends() == 130
    newcomer.shell("echo used > ~/.local/state/ds01/level")
    used = on(newcomer, "init", "second", "--guided")
    assert "1/6" not in used.shows("--type")
    used.types("\x03")
    used.ends()
    assert not newcomer.workspace("second").exists()


def test_which_project_is_asked_where_there_are_several(newcomer: Student) -> None:
    for name in ("one", "two"):
        newcomer.ds01("init", name, "--blank")
    terminal = on(newcomer, "image", "create", "--dry-run")
    terminal.shows("one/two")
    terminal.types("two\n")
    terminal.shows("there is no image yet")
    assert terminal.ends() == 0
