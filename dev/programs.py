"""Programs that run in the background, known by pid *and* start time: a pid that was given to somebody else is
never taken for ours, so nothing that we did not start is ever signalled.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Program:
    """A process. ``started`` is its start in clock ticks since boot, which together with the pid is unique."""

    pid: int
    started: int


def identify(pid: int) -> Program:
    """The program that has this pid now. Raises ProcessLookupError."""
    fields = _stat(pid)
    if fields is None:
        raise ProcessLookupError(pid)
    return Program(pid=pid, started=int(fields[19]))


def alive(program: Program | None) -> bool:
    """Whether this very program still runs (a zombie does not)."""
    if program is None:
        return False
    fields = _stat(program.pid)
    return fields is not None and fields[0] != "Z" and int(fields[19]) == program.started


def start(command: Sequence[str], log: Path, *, environment: Mapping[str, str]) -> Program:
    """Start a program in a session of its own, so that Ctrl-C reaches only who started it; output goes to ``log``."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd="/",
            env=dict(environment),
        )  # fmt: skip
    return let_go(process)


def let_go(process: subprocess.Popen[bytes]) -> Program:
    """A child that outlives this process on purpose: from now on ``alive`` is how it is watched."""
    process.returncode = 0
    return identify(process.pid)


def stop(program: Program | None, *, seconds: float = 20) -> bool:
    """End it with SIGTERM, then SIGKILL; False when it did not run any more."""
    if program is None or not alive(program):
        return False
    _signal(program, signal.SIGTERM)
    if not until(lambda: not alive(program), seconds):
        _signal(program, signal.SIGKILL)
        until(lambda: not alive(program), 5)
    return True


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; False when it did not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def tail(log: Path, lines: int = 5) -> str:
    """The end of a log, for a message."""
    return "\n".join(log.read_text(errors="replace").strip().splitlines()[-lines:]) if log.exists() else ""


def _signal(program: Program, number: signal.Signals) -> None:
    """Signal through a pidfd checked after it was opened: the pid cannot change hands in between."""
    try:
        handle = os.pidfd_open(program.pid)
    except ProcessLookupError:
        return
    try:
        if alive(program):
            signal.pidfd_send_signal(handle, number)
    finally:
        os.close(handle)


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat from the state on; a name may contain anything, so read from its end."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()
