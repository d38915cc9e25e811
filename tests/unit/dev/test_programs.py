"""Programs are ours by pid and start time, or not at all."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

from dev import programs


def test_a_started_program_is_known_and_can_be_stopped(tmp_path: Path) -> None:
    program = programs.start(["sleep", "60"], tmp_path / "log", environment={"PATH": os.environ["PATH"]})
    assert programs.alive(program)
    assert programs.stop(program)
    assert not programs.alive(program)
    assert not programs.stop(program)


def test_a_pid_that_changed_hands_is_never_signalled(tmp_path: Path) -> None:
    """The same pid with another start time is somebody else's."""
    somebody = subprocess.Popen(["sleep", "60"])
    try:
        ours = replace(programs.identify(somebody.pid), started=1)
        assert not programs.alive(ours)
        assert not programs.stop(ours)
        assert somebody.poll() is None
    finally:
        somebody.kill()
        somebody.wait()


def test_a_program_that_ends_at_once_leaves_its_words_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    environment = {"PATH": os.environ["PATH"]}
    program = programs.start(["sh", "-c", "echo no such thing >&2; exit 1"], log, environment=environment)
    assert programs.until(lambda: not programs.alive(program), 60)
    assert programs.tail(log) == "no such thing"
