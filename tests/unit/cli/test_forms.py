"""Every field of every form takes no answer that cannot be right, and asks again with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.cli import tree
from ds01.cli.command import Argument, Command, Option
from ds01.cli.fields import taken_by
from tests.unit.cli.daemon import Daemon
from tests.unit.cli.terminal import at_a_terminal
from tests.unit.cli.test_registry import check_typed

COMMANDS = dict(tree.commands())
FORMS = [path for path, command in COMMANDS.items() if any(step.asks for step in command.guide)]
BAD = {
    "address": "not an address", "apt": "Git_LFS", "base": "dta", "build": "a b", "count": "none", "gpus": "many",
    "kind": "dta", "later": "soon", "line": "a\x07b", "login": "a b", "mail": "nowhere", "moment": "soon",
    "month": "2026-13", "name": "My Thesis", "number": "many", "package": "pandas = 2", "path": "a\x07b",
    "place": "/no/such/folder/file", "port": "70000", "present": "/no/such/file", "public_key": "ssh-ed25519 AAAA",
    "seconds": "long", "shell": "csh", "somebody": "no-such-login", "when": "soonish",
}  # fmt: skip
"""By how it is read, or looked at."""

GOOD = {
    "container": "thesis", "project": "thesis", "built": "thesis", "launch": "thesis", "image": "thesis",
    "job": "thesis-1", "ending": "exp", "booking": "weekly", "class": "ml101", "limit": "idle", "gpu": "0",
    "shell": "bash", "path": "thesis:/tmp/a", "file": __file__, "address": "https://example.org/a.git", "name": "paper",
    "gpus": "1", "port": "8501", "login": "anna",
}  # fmt: skip
"""By what Tab offers, or how it is read; for what has to be answered."""


def good_for(command: Command, taker: Argument | Option) -> str:
    """An answer that will do: Enter, where that is enough and nothing rests on it."""
    rested_on = taker.name in {step.after for step in command.guide}
    if not rested_on and (isinstance(taker, Option) or not taker.required):
        return ""
    return GOOD.get(taker.complete) or GOOD.get(taker.reads) or "word"


def bad_for(taker: Argument | Option) -> str:
    """An answer that can be told to be wrong."""
    if isinstance(taker, Option) and not taker.value:
        return "maybe"
    if known := BAD.get(taker.looks) or BAD.get(taker.reads):
        return known
    if (isinstance(taker, Option) and taker.choices) or taker.complete:
        return "dta"
    return "'not closed" if isinstance(taker, Argument) and (taker.many or taker.rest) else ""


def level(home: Path, said: str) -> None:
    """How much somebody wants explained."""
    (home / ".state/ds01").mkdir(parents=True)
    (home / ".state/ds01/level").write_text(f"{said}\n")


@pytest.mark.parametrize("path", FORMS)
def test_a_field_asks_again_for_what_cannot_be(full: Daemon, tmp_path: Path, path: str) -> None:
    level(tmp_path, "used")
    command = COMMANDS[path]
    takers = [taken_by(command, step.asks) for step in command.guide if step.asks]
    typed = "".join(f"{bad_for(taker)}\n{good_for(command, taker)}\n" for taker in takers)
    code, said = at_a_terminal(full, tmp_path, "true", *path.split(), "--guided", answers=f"{typed}n\n")
    assert "Do it now?" in said
    assert said.count("! ") == len(takers), said
    assert code == 0


@pytest.mark.parametrize("path", COMMANDS)
def test_a_form_is_walked_through_with_enter(full: Daemon, tmp_path: Path, path: str) -> None:
    level(tmp_path, "new")
    command = COMMANDS[path]
    answers = [good_for(command, taken_by(command, step.asks)) if step.asks else "" for step in command.guide]
    typed = "".join(f"{answer}\n" for answer in answers)
    code, said = at_a_terminal(full, tmp_path, "true", *path.split(), "--guided", answers=f"{typed}n\n")
    assert code == 0, said
    assert f"{len(answers)}/{len(answers)}" in said
    plain, asked = said.partition("The same without questions: ")[2].split(" Do it now?", 1)
    assert "! " not in said
    check_typed(plain)
    assert asked.endswith("[Y/n]")


def test_exec_without_a_command_says_which_and_asks_nothing(full: Daemon, tmp_path: Path) -> None:
    code, said = at_a_terminal(full, tmp_path, "true", "exec", "thesis", answers="new\n" + "x\n" * 8)
    assert code == 2
    assert "Which command is to run in thesis? For example: ds01 exec thesis -- nvidia-smi" in said
    assert "A shell: ds01 attach thesis" in said
    assert "new here" not in said


@pytest.mark.parametrize("known", ["", "new", "used"])
def test_a_form_says_how_to_stop_before_it_asks(full: Daemon, tmp_path: Path, known: str) -> None:
    if known:
        level(tmp_path, known)
    _, said = at_a_terminal(full, tmp_path, "true", "list", "--guided", answers="\n" * 6)
    asked = "[" if known else "Are you new here"
    assert said.index("Ctrl-C to stop") < said.index(asked)
    _, said = at_a_terminal(full, tmp_path, "true", "image", "--guided", answers="list\n" + "\n" * 6)
    assert said.index("Ctrl-C to stop") < said.index("What do you want to do?")
