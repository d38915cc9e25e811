"""The command line on a real terminal: what one reads, types, and is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from dev.promises.lab import Lab, Student
from dev.promises.terminal import Terminal

from ds01.cli.style import columns

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def ada(lab: Lab) -> Iterator[Student]:
    """A student with one project, and every GPU free; no container is left behind."""
    lab.ada.retires_all()
    lab.ben.retires_all()
    lab.ada.project("thesis", "six>=1.15,<1.17")
    yield lab.ada
    lab.ada.retires_all()


def on(student: Student, *words: str, columns: int = 80) -> Terminal:
    """Type a ds01 command on a terminal."""
    return Terminal(student.person, str(student.commands / "ds01"), *words, columns=columns)


def widest(shown: str) -> int:
    """The longest line of what a terminal was sent, with lines that were written over left out."""
    lines = (CONTROL.sub("", line).split("\r")[-1] for line in shown.replace("\r\n", "\n").split("\n"))
    return max(map(columns, lines), default=0)


@pytest.mark.parametrize("width", [80, 40])
def test_launch_greets_and_the_prompt_says_that_the_gpu_is_simulated(ada: Student, width: int) -> None:
    terminal = on(ada, "launch", "thesis", "--gpus", "1", columns=width)
    greeting = terminal.shows("(simulated GPU)")
    assert "thesis is yours" in CONTROL.sub("", greeting)
    assert "/workspace" in greeting
    assert "exit" in greeting
    assert widest(greeting) <= width
    terminal.types("stty size\n")
    terminal.shows(f"24 {width}\r")
    terminal.types("exit 4\n")
    assert terminal.ends() == 4
    again = on(ada, "launch", "thesis", columns=width)
    assert "is yours" not in again.shows("(simulated GPU)")
    again.types("\x10\x11")
    assert "Left running in thesis." in again.shows("Next:")
    assert again.ends() == 0


def test_what_is_typed_ahead_of_the_prompt_arrives(ada: Student) -> None:
    ada.launches("thesis")
    terminal = on(ada, "attach", "thesis")
    terminal.types("echo early-$((40+2))\n")
    terminal.shows("early-42")
    terminal.types("exit\n")
    assert terminal.ends() == 0


def test_e2_retire_asks_and_each_answer_is_done(ada: Student) -> None:
    ada.launches("thesis")
    ada.inside("thesis", "pip install -q --no-deps tqdm && echo mine > ~/note")
    terminal = on(ada, "retire", "thesis", columns=40)
    shown = terminal.shows("Write these packages into the project\r\nfile?")
    assert "tqdm" in shown
    assert "note" in shown
    terminal.types("y\n")
    terminal.shows("into the\r\nworkspace first?")
    terminal.types("y\n")
    terminal.shows("Retire thesis?")
    terminal.types("\n")
    told = terminal.shows("Next:")
    assert terminal.ends() == 0
    assert "thesis is retired" in told
    assert "tqdm==" in (ada.workspace("thesis") / "ds01.toml").read_text()
    rescued = ada.shell("cat $(ls -td ~/workspace/thesis/.ds01/rescued/* | head -1)$HOME/note")
    assert rescued == "mine"


def test_ctrl_c_at_a_question_changes_nothing(ada: Student) -> None:
    ada.launches("thesis")
    terminal = on(ada, "retire", "thesis")
    terminal.shows("Retire thesis?")
    terminal.types("\x03")
    terminal.shows("Nothing was retired.")
    assert terminal.ends() == 130
    assert ada.container("thesis")["state"] == "running"


def test_guided_asks_goes_back_and_ends_in_the_plain_command(ada: Student) -> None:
    ada.shell("rm -f ~/.local/state/ds01/level")
    terminal = on(ada, "launch", "--guided")
    terminal.shows("new/used")
    terminal.types("new\n")
    terminal.shows("1/3")
    terminal.types("thesis\n")
    terminal.shows("2/3")
    terminal.types("many\n")
    terminal.shows("no number of GPUs")
    terminal.types("<\n")
    terminal.shows("1/3")
    terminal.types("\n")
    terminal.shows("2/3")
    terminal.types("0\n")
    terminal.shows("3/3")
    terminal.types("y\n")
    terminal.shows("ds01 launch thesis --gpus 0 --background")
    terminal.types("\n")
    terminal.shows("thesis is running")
    assert terminal.ends() == 0


def test_tab_offers_commands_options_and_my_own_names(ada: Student) -> None:
    ada.launches("thesis")
    path = f"PATH={ada.commands}:$PATH"
    terminal = Terminal(ada.person, "bash", "--norc", "-i")
    terminal.types(f"export {path} PS1='$ '; source <(ds01 completion bash); echo ready-$((1+1))\n")
    terminal.shows("ready-2")
    for typed, offered in (("ds01 reti\t", "ds01 retire "), ("th\t", "thesis "), ("--for\t", "--force ")):
        terminal.types(typed)
        terminal.shows(offered)
    terminal.types("\x15container-dep\t")
    terminal.types("\x15exit\n")
    assert terminal.ends() == 0


def test_watching_a_list_ends_with_ctrl_c(ada: Student) -> None:
    ada.launches("thesis")
    terminal = on(ada, "list", "--watch")
    terminal.shows("thesis")
    terminal.shows("Ctrl-C ends this.")
    terminal.types("\x03")
    assert terminal.ends() == 130
