"""A shell on a pseudo terminal of the command line's: keys, size, end, and that leaving ends nothing.

A real shell stands in for the container's: it is begun on the slave as the session begins it there.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pexpect
import pytest

from ds01.client.pump import KILLED, Ending

SESSION = Path(__file__).parents[3] / "src/ds01/adapters/host/session.sh"
MARK = b"\x1b]7301;4\x07"
LAUNCH = """
import subprocess, sys, time
from ds01.client.first_shell import FirstShell
shell = FirstShell()
if sys.argv[1:]:
    subprocess.Popen(["/bin/sh", "-c", 'exec 3<>"$0" && exec "$@"', shell.path, *sys.argv[1:]])
    time.sleep(0.1)
print(shell.run(), flush=True)
"""
RESIZED = LAUNCH.replace("print(", "subprocess.run(['stty', 'rows', '31', 'columns', '97'], check=True)\nprint(")
Launch = Callable[..., "pexpect.spawn[str]"]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts a shell as a launch does; whatever it leaves is ended."""
    (tmp_path / "session").symlink_to(SESSION)
    (tmp_path / "bash").write_text("#!/bin/sh\nexec /bin/bash --norc -i\n")
    (tmp_path / "bash").chmod(0o755)
    begun: list[pexpect.spawn[str]] = []

    def start(*program: str, rows: int = 24, columns: int = 80, script: str = LAUNCH) -> pexpect.spawn[str]:
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PS1": "$ ", "HOME": str(tmp_path), "TERM": "xterm"}
        child = pexpect.spawn(
            sys.executable, ["-c", script, *program], env=environment, encoding="utf-8", timeout=60,
            dimensions=(rows, columns),
        )  # fmt: skip
        begun.append(child)
        return child

    yield start
    for child in begun:
        child.close(force=True)
    for pid in left(tmp_path):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def left(place: Path) -> Iterator[int]:
    """What still runs of this test's, by its folder among the words or the variables."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            said = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            if str(place).encode() in said and int(process.name) != os.getpid():
                yield int(process.name)


@pytest.fixture
def begin(tmp_path: Path) -> list[str]:
    """The session's words, with a program for the container that ends at once."""
    return ["/bin/sh", str(tmp_path / "session"), "begin", "/bin/true"]


def begun(child: pexpect.spawn[str], shows: str, pid: str = "pid") -> int:
    """The shell is there; its process id."""
    child.sendline(f"echo {pid}-$$-")
    child.expect(rf"{pid}-(\d+)-\r\n")
    assert shows in shown(child)
    assert isinstance(child.match, re.Match)
    return int(child.match[1])


def shown(child: pexpect.spawn[str]) -> str:
    """What came before what was waited for."""
    assert child.before is not None
    return child.before


def until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def runs(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_exit_code_is_the_shells_and_what_says_it_is_not_shown(launch: Launch, begin: list[str]) -> None:
    child = launch(*begin)
    begun(child, "$ ")
    child.sendline("exit 4")
    child.expect_exact("Ended(code=4")
    assert "7301" not in shown(child)


def test_a_window_that_changed_while_one_waited_is_the_shells_size(launch: Launch, begin: list[str]) -> None:
    child = launch(*begin, script=RESIZED)
    begun(child, "$ ")
    child.sendline("stty size; echo said-$((6*7))-")
    child.expect_exact("said-42-")
    assert "31 97" in shown(child)


def test_the_size_is_this_terminals_and_changes_with_it(launch: Launch, begin: list[str]) -> None:
    child = launch(*begin, rows=33, columns=57)
    begun(child, "$ ")
    child.sendline("stty size")
    child.expect_exact("33 57")
    child.setwinsize(20, 70)
    child.sendline("until [ \"$(stty size)\" = '20 70' ]; do sleep 0.1; done; echo fits-$((6*7))-")
    child.expect_exact("fits-42-")


def test_ctrl_c_and_job_control_reach_what_runs_in_it(launch: Launch, begin: list[str]) -> None:
    child = launch(*begin)
    begun(child, "$ ")
    child.sendline("cat")
    child.sendline("here")
    child.expect_exact("here\r\nhere\r\n")
    child.send("\x03")
    child.sendline("echo after-$?-")
    child.expect_exact("after-130-")
    child.sendline("sleep 1000")
    child.sendline("")
    child.send("\x1a")
    child.expect("Stopped")


@pytest.mark.parametrize("keys", [["\x10\x11"], ["\x10", "\x11"]])
def test_the_keys_leave_it_running(launch: Launch, begin: list[str], keys: list[str]) -> None:
    child = launch(*begin)
    pid = begun(child, "$ ")
    for key in keys:
        child.send(key)
    child.expect_exact("left=True")
    child.expect(pexpect.EOF)
    child.wait()
    time.sleep(0.2)
    assert runs(pid)


def test_a_lost_line_ends_nothing(launch: Launch, begin: list[str], tmp_path: Path) -> None:
    child = launch(*begin)
    pid = begun(child, "$ ")
    child.sendline(f"while sleep 0.05; do echo line; date >{tmp_path}/written; done")
    child.expect_exact("line")
    child.close(force=False)
    own = child.pid
    assert own is not None
    assert until(lambda: not runs(own))
    (tmp_path / "written").unlink(missing_ok=True)
    assert until((tmp_path / "written").exists)
    assert runs(pid)


def test_nobody_took_it(launch: Launch) -> None:
    child = launch()
    child.expect_exact("None")


def test_an_image_in_which_no_shell_can_begin(launch: Launch) -> None:
    child = launch("/bin/sh", "-c", "sleep 0.5")
    child.expect_exact("None")


def test_a_shell_that_is_killed_with_everything(launch: Launch, begin: list[str]) -> None:
    child = launch(*begin)
    pid = begun(child, "$ ")
    leader = int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    for each in (leader, pid):
        os.kill(each, signal.SIGKILL)
    child.expect_exact(f"Ended(code={KILLED}")


def test_a_shell_that_is_killed_alone_says_by_what(launch: Launch, begin: list[str]) -> None:
    child = launch(*begin)
    os.kill(begun(child, "$ "), signal.SIGKILL)
    child.expect_exact(f"Ended(code={128 + signal.SIGKILL}")


def test_much_goes_through_both_ways(launch: Launch, begin: list[str]) -> None:
    child = launch(*begin)
    begun(child, "$ ")
    child.sendline("stty -echo; head -c 300000 | wc -c; stty echo")
    time.sleep(0.3)
    for _ in range(10):
        child.send(("x" * 99 + "\n") * 300)
    child.expect_exact("300000")
    child.sendline("seq 100000 | tail -n 1; seq 100000; echo done-$((6*7))-")
    child.expect_exact("done-42-")
    assert "\r\n99999\r\n100000\r\n" in shown(child)


@pytest.mark.parametrize("cut", range(1, len(MARK)))
def test_the_end_is_found_in_whatever_pieces_it_comes(cut: int) -> None:
    ending = Ending()
    shown = ending.sift(b"bye" + MARK[:cut]) + ending.sift(MARK[cut:])
    assert (shown, ending.code) == (b"bye", 4)


def test_what_looks_like_the_end_and_is_not_is_shown() -> None:
    for odd in (
        MARK + b"more",
        b"\x1b]7301;4444\x07",
        b"\x1b]7301;x\x07",
        b"\x1b[31m",
        b"\x1b]0;title\x07",
        MARK + b"\x1b[0m",
    ):
        ending = Ending()
        shown = b"".join(ending.sift(odd[at : at + 1]) for at in range(len(odd)))
        assert (shown, ending.code) == (odd, KILLED)
