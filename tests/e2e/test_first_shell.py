"""The shell that begins with a launched container: hers, confined as all in there, and it ends only by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from dev import tiny
from dev.programs import until
from dev.promises.lab import Lab, Student
from dev.promises.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]

TRAINING = "trap 'sleep 2; echo saved >saved; exit' TERM; touch up; while :; do sleep 0.1; done\n"


@pytest.fixture
def ada(lab: Lab) -> Iterator[Student]:
    """A student with one project, and no container left behind."""
    lab.ada.retires_all()
    lab.ada.project("thesis")
    yield lab.ada
    lab.ada.retires_all()


def launch(ada: Student, *words: str) -> Terminal:
    """Launch on a terminal, until the shell answers."""
    terminal = Terminal(ada.person, str(ada.commands / "ds01"), "launch", *words)
    terminal.answers()
    return terminal


def seen(lab: Lab, name: str = "thesis") -> dict[str, Any]:
    """The container as the engine sees it."""
    return lab.inspect(lab.ada.container(name)["id"])


def runs(lab: Lab) -> str:
    """What runs in it."""
    return lab.engine("top", seen(lab)["Id"], "-o", "pid,args")


def says(terminal: Terminal, script: str) -> str:
    """What a shell line prints."""
    terminal.types(f"echo be''gin; {script}; echo e''nd\n")
    terminal.shows("begin\r\n")
    return terminal.shows("end\r\n").strip()


def test_no_program_is_brought_in_and_it_is_as_confined_as_one(lab: Lab, ada: Student) -> None:
    terminal = launch(ada, "thesis")
    assert seen(lab)["ExecIDs"] is None
    mine = "cat /proc/self/status | grep -E '^(Uid|Groups|CapEff|CapBnd|NoNewPrivs|Seccomp):' | sort"
    confined = says(terminal, mine)
    assert confined.replace("\r", "") == ada.inside("thesis", mine).strip()
    assert f"Uid:\t{ada.uid}\t{ada.uid}" in confined
    assert says(terminal, "ls /proc/$$/fd | tr '\\n' ' '").split() == ["0", "1", "2", "255"]
    assert says(terminal, "ls /proc/1/fd | tr '\\n' ' '").split() == ["0", "1", "2"]
    assert says(terminal, "pwd; echo hello >/dev/tty; tty").split() == ["/workspace", "hello", "/dev/console"]
    terminal.types("exit 7\n")
    terminal.shows("thesis goes on")
    assert terminal.ends() == 7
    assert seen(lab)["State"]["Running"]


def test_one_that_was_stopped_begins_with_a_shell_again(lab: Lab, ada: Student) -> None:
    ada.launches("thesis")
    ada.ds01("stop", "thesis")
    terminal = launch(ada, "thesis")
    assert seen(lab)["ExecIDs"] is None
    terminal.types("exit\n")
    assert terminal.ends() == 0


def test_without_a_setsid_that_forks_it_is_brought_in(lab: Lab, ada: Student) -> None:
    tiny.install(lab.stack.engine)
    terminal = Terminal(ada.person, str(ada.commands / "ds01"), "launch", "box", "--image", tiny.REFERENCE)
    terminal.shows("is yours")
    terminal.types("echo here-$((40+2))\n")
    terminal.shows("here-42")
    assert len(seen(lab, "box")["ExecIDs"]) == 1
    terminal.types("exit 3\n")
    assert terminal.ends() == 3


def test_a_lost_line_ends_nothing_that_runs_in_it(lab: Lab, ada: Student) -> None:
    terminal = launch(ada, "thesis")
    terminal.types("while sleep 0.1; do date +%N; date +%N >/workspace/beat; done\n")
    beat = ada.workspace("thesis") / "beat"
    assert until(beat.exists, 60)
    terminal.is_lost()
    before = beat.read_text()
    assert until(lambda: beat.read_text() not in ("", before), 60)
    beat.unlink()
    assert until(beat.exists, 60)


def test_the_keys_leave_it_running(lab: Lab, ada: Student) -> None:
    terminal = launch(ada, "thesis")
    terminal.types("exec sleep 4242\n")
    assert until(lambda: "sleep 4242" in runs(lab), 60)
    terminal.types("\x10\x11")
    terminal.shows("Left running in thesis.")
    assert terminal.ends() == 0
    assert "sleep 4242" in runs(lab)


def test_e5_what_runs_in_it_gets_sigterm_and_its_full_grace(lab: Lab, ada: Student) -> None:
    terminal = launch(ada, "thesis")
    (ada.workspace("thesis") / "train.sh").write_text(TRAINING)
    terminal.types("sh train.sh\n")
    assert until((ada.workspace("thesis") / "up").exists, 60)
    ada.ds01("stop", "thesis")
    assert (ada.workspace("thesis") / "saved").read_text() == "saved\n"
    assert seen(lab)["State"]["ExitCode"] == 0
    terminal.shows("thesis is stopped")
    terminal.ends()


def test_e5_one_that_idles_does_not_hold_up_a_stop(lab: Lab, ada: Student) -> None:
    terminal = launch(ada, "thesis")
    ada.ds01("stop", "thesis")
    assert seen(lab)["State"]["ExitCode"] == 0, "it was killed at the end of its grace"
    terminal.shows("thesis is stopped")
    terminal.ends()


def test_it_goes_on_while_ds01d_and_the_gateway_are_away(lab: Lab, ada: Student) -> None:
    terminal = launch(ada, "thesis")
    away = [program.pid for program in (lab.stack.ds01d, lab.stack.gateway) if program is not None]
    assert len(away) == 2
    for pid in away:
        os.kill(pid, signal.SIGSTOP)
    try:
        terminal.types("echo still-$((40+2))\n")
        terminal.shows("still-42")
    finally:
        for pid in away:
            os.kill(pid, signal.SIGCONT)
    terminal.types("exit\n")
    assert terminal.ends() == 0
