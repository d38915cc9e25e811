"""``make run``, as a newcomer meets it: from nothing to a shell in a container, and nothing left running after it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from dev import people, programs, stack
from dev.installation import CHECKOUT
from dev.run import NEWCOMER, PROJECT

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def state() -> Iterator[str]:
    """A state directory for all of these: what the first run built is there for the next."""
    with tempfile.TemporaryDirectory(prefix="ds01r", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield folder
        stack.down(folder)
        people.remove(NEWCOMER)


def environment(state: str) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "SUDO_USER"} | {"STATE": state, "TERM": "xterm"}


def all_ended(running: stack.Stack | None) -> bool:
    assert running is not None
    return not any(programs.alive(p) for p in (running.ds01d, running.gateway, running.engine_program))


def test_it_ends_in_a_shell_with_a_gpu_and_the_workspace(state: str) -> None:
    child = pexpect.spawn("make", ["run"], cwd=str(CHECKOUT), env=environment(state), encoding="utf-8", timeout=900)
    child.expect_exact("\x1b[?2004h")
    running = stack.recorded(stack.place(state))
    child.send("nvidia-smi -L; id -u; echo kept > /workspace/kept.txt; echo done-$((1+1))\n")
    child.expect_exact("done-2")
    shown = child.before or ""
    assert shown.count("GPU 0:") == 1
    assert "GPU 1:" not in shown
    assert str(people.person(NEWCOMER).uid) in shown
    assert_another_run_leaves_it(child, state)
    child.send("no-such-command; exit\n")
    child.expect_exact(f"{PROJECT} goes on, with GPU 0.")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert all_ended(running)
    kept = people.person(NEWCOMER).home / "workspace" / PROJECT / "kept.txt"
    assert kept.read_text() == "kept\n"


def assert_another_run_leaves_it(child: pexpect.spawn[str], state: str) -> None:
    """Somebody tries it beside: she enters the same container, and leaves it there."""
    beside = subprocess.run(
        ["make", "run"], input="echo beside\n", cwd=CHECKOUT, env=environment(state), text=True, capture_output=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert (beside.stdout, beside.returncode) == ("beside\n", 0), beside.stderr
    child.send("echo still-$((2+2))\n")
    child.expect_exact("still-4")


def test_without_a_terminal_commands_come_from_standard_input(state: str) -> None:
    done = subprocess.run(
        ["make", "run"], input="cat /workspace/kept.txt; exit 7\n", cwd=CHECKOUT, env=environment(state), text=True,
        capture_output=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.stdout == "kept\n"
    assert "SIMULATED" in done.stderr or "nvidia" in done.stderr
    assert f"bash --rcfile {stack.place(state)}/shell" in done.stderr
    assert all(word not in done.stderr for word in ("Traceback", "Error:"))


def test_ctrl_c_takes_away_what_was_started_and_nothing_else(state: str) -> None:
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        child = pexpect.spawn("make", ["run"], cwd=str(CHECKOUT), env=environment(state), encoding="utf-8", timeout=900)
        child.expect_exact("ds01 launch")
        running = stack.recorded(stack.place(state))
        child.sendintr()
        child.expect(pexpect.EOF)
        child.close()
        assert all_ended(running)
        assert bystander.poll() is None
        assert people.exists(NEWCOMER), "the account and its files stay"
    finally:
        bystander.send_signal(signal.SIGKILL)
        bystander.wait()
