"""A container's first process is known by more than its number, and the number stays its own until runc has joined."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ds01.runc import first, launcher
from ds01.runc.first import First, hold
from ds01.runc.grants import container_at
from ds01.runc.refusal import RefusedError
from tests.unit.runc.test_guard import Runtime, first_process, start_of
from tests.unit.runc.test_rules import ID, PLAIN

OTHER = f"{os.getpid():064x}"
HERS = f"/ds01-u1001.slice/{OTHER}"
ANY = "e" * 64
NAMED = f"/ds01-u1001.slice/{ANY}"
PATIENCE_SECONDS = 20


def wait(true: Callable[[], object]) -> None:
    """Until it is."""
    over = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < over
        time.sleep(0.01)


@pytest.mark.parametrize("path", [NAMED, f"/ds01.slice/ds01-u1001.slice/docker-{ANY}.scope"])
def test_a_container_is_where_either_driver_puts_it(path: str) -> None:
    assert container_at(path) == (1001, ANY)


@pytest.mark.parametrize(
    "path",
    ["/", "", f"/{ANY}", f"/docker/{ANY}", f"/ds01-u1001.slice/docker-{ANY}.scope", f"/ds01-u1001.slice/{ID[1:]}",
     f"/ds01-u01001.slice/{ANY}", f"/ds01-u1001-build.slice/{ANY}", f"/ds01.slice/ds01-u1001.slice/{ANY}",
     f"/user.slice/user-1004.slice/user@1004.service{NAMED}", f"/ds01-u1004.slice/{ID}{NAMED}", f"/../{NAMED}",
     NAMED[1:],
     f"/user.slice/user@1004.service/ds01.slice/ds01-u1001.slice/docker-{ANY}.scope", f"/{NAMED}", f"{NAMED}/"],
)  # fmt: skip
def test_e38_a_cgroup_of_that_name_anywhere_else_is_no_container(path: str) -> None:
    """A user has cgroups of her own below her session's, and gives them any name."""
    assert container_at(path) is None


class Waiting:
    """A guard before a runc that waits, a container in it whose number is to change hands, and an exec or a start."""

    def __init__(self, place: Path) -> None:
        self.runtime = Runtime(place)
        self.there, self.go, runc = place / "there", place / "go", place / "real-runc"
        joins = f"config = json.load(open({str(place / 'bundle/config.json')!r}))['linux']['namespaces']\n"
        runc.write_text(
            f"#!/usr/bin/env python3\nimport json, os, sys, time\nopen({str(self.there)!r}, 'w').close()\n"
            f"while not os.path.exists({str(self.go)!r}): time.sleep(0.01)\n{joins}"
            f"json.dump({{each['type']: os.stat(each['path']).st_ino for each in config if each.get('path')}},"
            f"open({str(self.there)!r}, 'w'))\n"
        )
        runc.chmod(0o755)
        self.runtime.program = launcher.write(self.runtime.guard, self.runtime.data, shlex.quote(str(runc)))

    @contextmanager
    def until(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Until runc waits; afterwards it goes on."""
        called = subprocess.Popen(
            [self.runtime.program, "--root", str(self.runtime.place / "state"), *words],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            wait(lambda: self.there.exists() or called.poll() is not None)
            yield called
        finally:
            self.go.touch()
            _, told = called.communicate(timeout=PATIENCE_SECONDS)
        assert called.returncode == 0, told

    def execs(self) -> list[str]:
        """The words of an exec."""
        return ["exec", "--process", str(self.runtime.joining()), "--detach", ID]


@pytest.fixture
def waiting(tmp_path: Path) -> Waiting:
    return Waiting(tmp_path)


def state_of(pid: int) -> str:
    """The letter of a process's state."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


MANY = "import threading, time\nfor _ in range(30): threading.Thread(target=time.sleep, args=(600,)).start()"
SHEDS = """
import os, signal, threading, time
def other():
    while True:
        time.sleep(0.01)
        if os.path.exists({go!r}): os.execv("/bin/sleep", ["sleep", "600"])
threading.Thread(target=other).start()
time.sleep(600)
"""
"""A thread that is not the first begins another program: the kernel forgets who traced the first one."""


@pytest.mark.parametrize("command", [("sleep", "600"), (sys.executable, "-c", MANY)], ids=["one", "many threads"])
def test_e38_the_number_is_held_until_runc_is_over(waiting: Waiting, command: tuple[str, ...]) -> None:
    running = subprocess.Popen(command)
    if len(command) > 2:
        wait(lambda: len(os.listdir(f"/proc/{running.pid}/task")) == 31)
    waiting.runtime.runs("ds01.guard=1001:1001", ID, running.pid)
    with waiting.until(*waiting.execs()):
        running.kill()
        wait(lambda: state_of(running.pid) == "Z")
        assert running.poll() is None
    assert running.wait(PATIENCE_SECONDS) == -signal.SIGKILL


def test_e38_no_thread_of_it_sheds_who_holds_it(waiting: Waiting, tmp_path: Path) -> None:
    go = tmp_path / "shed"
    running = subprocess.Popen([sys.executable, "-c", SHEDS.format(go=str(go))])
    wait(lambda: len(os.listdir(f"/proc/{running.pid}/task")) == 2)
    waiting.runtime.runs("ds01.guard=1001:1001", ID, running.pid)
    with waiting.until(*waiting.execs()):
        go.touch()
        time.sleep(0.1)  # it would take a tenth of that
        assert {state for state, _ in First(running.pid).threads().values()} == {"t"}
        running.kill()
        wait(lambda: state_of(running.pid) == "Z")
        assert running.poll() is None
    assert running.wait(PATIENCE_SECONDS) == -signal.SIGKILL


def test_afterwards_it_goes_on_and_has_lost_no_signal(waiting: Waiting) -> None:
    script = (
        "import signal\nsignal.signal(signal.SIGUSR1, lambda *_: exit(7))\nprint('ready', flush=True)\nsignal.pause()"
    )
    running = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert running.stdout is not None
    running.stdout.readline()
    waiting.runtime.runs("ds01.guard=root", ID, running.pid)
    with waiting.until(*waiting.execs()):
        assert state_of(running.pid) == "t"
        running.send_signal(signal.SIGUSR1)
    assert running.wait(PATIENCE_SECONDS) == 7
    running.stdout.close()


def test_one_that_was_stopped_stays_so(waiting: Waiting) -> None:
    with first_process() as pid:
        os.kill(pid, signal.SIGSTOP)
        wait(lambda: state_of(pid) == "T")
        waiting.runtime.runs("ds01.guard=root", ID, pid)
        with waiting.until(*waiting.execs()):
            assert state_of(pid) == "t"
        wait(lambda: state_of(pid) == "T")


def test_several_join_one_after_another(tmp_path: Path) -> None:
    runtime = Runtime(tmp_path)
    with first_process(sys.executable, "-c", MANY) as pid:
        runtime.runs("ds01.guard=1001:1001", ID, pid)
        words = [str(runtime.program), "--root", str(tmp_path / "state"), "exec", "--detach", "--process"]
        files = [tmp_path / f"{each}.json" for each in range(8)]
        for file in files:
            file.write_text(runtime.joining().read_text())
        called = [subprocess.Popen([*words, str(file), ID]) for file in files]
        assert [each.wait(PATIENCE_SECONDS) for each in called] == [0] * len(files)


def test_e38_another_process_with_that_number_is_not_entered(waiting: Waiting) -> None:
    with first_process() as pid:
        waiting.runtime.runs("ds01.guard=1001:1001", ID, pid, began=start_of(pid) - 1)
        done = waiting.runtime.call(*waiting.execs())
        assert (done.returncode, "container that has ended" in done.stderr) == (1, True), done.stderr
        assert state_of(pid) == "S"
    assert "container that has ended" in waiting.runtime.call(*waiting.execs()).stderr


def test_e38_one_that_somebody_else_traces_is_not_entered(monkeypatch: pytest.MonkeyPatch, waiting: Waiting) -> None:
    monkeypatch.setattr(first, "TURN_SECONDS", 0.1)
    with first_process() as pid:
        waiting.runtime.runs("ds01.guard=root", ID, pid)
        with waiting.until(*waiting.execs()), pytest.raises(RefusedError, match="somebody else traces"):
            hold(First(pid), lambda: True)
        wait(lambda: state_of(pid) == "S")


def test_a_command_that_runc_waits_for_is_refused(waiting: Waiting) -> None:
    with first_process() as pid:
        waiting.runtime.runs("ds01.guard=root", ID, pid)
        words = [word for word in waiting.execs() if word != "--detach"]
        assert "runc itself waits for" in waiting.runtime.call(*words).stderr


@contextmanager
def in_a_slice(pid: int, path: str) -> Iterator[None]:
    """A process in a cgroup that an engine would have made."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    below = Path("/sys/fs/cgroup", *(("systemd",) if any("name=systemd" in line for line in lines) else ()))
    folder = below / path.lstrip("/")
    folder.mkdir(parents=True)
    try:
        (folder / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        with suppress(ProcessLookupError):
            (below / "cgroup.procs").write_text(str(pid))
        folder.rmdir()
        with suppress(OSError):
            folder.parent.rmdir()


def joining(pid: int, kind: str = "network", name: str = "net") -> dict[str, Any]:
    """The configuration of a container that joins a namespace of this process."""
    config: dict[str, Any] = json.loads(json.dumps(PLAIN))
    (found,) = (each for each in config["linux"]["namespaces"] if each["type"] == kind)
    found["path"] = f"/proc/{pid}/ns/{name}"
    return config


@pytest.mark.root
@pytest.mark.parametrize("label", ["ds01.guard=root", "ds01.guard=1001:1001"])
def test_e38_runc_joins_what_was_looked_at(waiting: Waiting, label: str) -> None:
    """The container ends when it was looked at, and another process has the number: what runc joins is the first's."""
    runtime = waiting.runtime
    with first_process("unshare", "--net", "--ipc", "sleep", "600") as pid:
        wait(lambda: Path(f"/proc/{pid}/comm").read_text() == "sleep\n")
        runtime.runs(label, OTHER, pid)
        runtime.write(joining(pid))
        runtime.grant(as_owner=label != "ds01.guard=root")
        wanted = os.stat(f"/proc/{pid}/ns/net").st_ino
        called = waiting.until("create", "--bundle", str(runtime.bundle), ID)
        with in_a_slice(pid, HERS), called:
            paths = {each["type"]: each.get("path", "") for each in runtime.config["linux"]["namespaces"]}
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    assert json.loads(waiting.there.read_text())["network"] == wanted
    joined = {kind for kind, path in paths.items() if path}
    assert joined == ({"network", "user"} if label == "ds01.guard=root" else {"network"})
    assert not any(f"/proc/{pid}/" in path for path in paths.values())


@pytest.mark.root
def test_e38_only_the_first_process_of_a_container_is_joined(waiting: Waiting) -> None:
    """Not one that was put into its cgroup, nor one whose number the first had before."""
    runtime = waiting.runtime
    with first_process() as pid, first_process() as another, in_a_slice(pid, HERS):
        runtime.grant(as_owner=True)
        for known, began in ((another, None), (pid, start_of(pid) - 1)):
            runtime.runs("ds01.guard=1001:1001", OTHER, known, began)
            runtime.write(joining(pid))
            assert "of somebody else" in runtime.create().stderr
