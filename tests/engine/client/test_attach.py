"""A shell in a container is like a shell here: keys, size, exit code, pipes."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest
from dev.programs import until

from ds01.client.docker import Docker
from tests.engine.client.conftest import ATTACH

pytestmark = [pytest.mark.engine, pytest.mark.root]
RELAY = """
import os, socket, sys, threading
BODY = b'{"message": "The program is not running"}'
EARLY = b"HTTP/1.1 400 Bad Request\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(BODY), BODY)
early = int(sys.argv[3])
def pump(source, sink):
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)
door = socket.socket(socket.AF_UNIX)
door.bind(sys.argv[1] + ".new")
door.listen()
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    client, _ = door.accept()
    first = client.recv(65536)
    if early and b"/resize?" in first:
        early -= 1
        client.sendall(EARLY)
        client.close()
        continue
    engine = socket.socket(socket.AF_UNIX)
    engine.connect(sys.argv[2])
    engine.sendall(first)
    for pair in ((client, engine), (engine, client)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""
Terminal = Callable[..., Any]
Piped = Callable[..., subprocess.CompletedProcess[bytes]]


def test_the_exit_code_is_the_shells(terminal: Terminal) -> None:
    shell = terminal("sh")
    shell.expect_exact("$ ")
    shell.sendline("exit 7")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 7


def test_the_size_is_told_and_told_again_when_it_changes(terminal: Terminal) -> None:
    shell = terminal("sh")
    shell.expect_exact("$ ")
    shell.sendline("stty size")
    shell.expect_exact("24 80")
    shell.setwinsize(10, 40)
    for _ in range(600):
        shell.sendline("stty size")
        if shell.expect_exact(["10 40", "24 80"]) == 0:
            break
        time.sleep(0.1)
    else:
        pytest.fail("the new size never came")


def test_ctrl_c_is_for_the_program_inside(terminal: Terminal) -> None:
    shell = terminal("sh")
    shell.expect_exact("$ ")
    shell.sendline("echo be''gun; sleep 100")
    shell.expect_exact("begun")
    shell.sendintr()
    shell.sendline("echo code-$?")
    shell.expect_exact("code-130")


@pytest.mark.parametrize("keys", [["\x10\x11"], ["\x10", "\x11"]])
def test_e1_the_keys_leave_it_running(terminal: Terminal, docker: Docker, container: str, keys: list[str]) -> None:
    shell = terminal("sh", "-c", "echo here; exec sleep 4242")
    shell.expect_exact("here")
    for key in keys:
        shell.send(key)
        time.sleep(0.2)
    shell.expect_exact("left=True lost=False")
    shell.expect(pexpect.EOF)
    assert until(lambda: any("sleep 4242" in " ".join(row) for row in docker.processes(container)[1]), 60)


def test_ctrl_p_alone_is_passed_on(terminal: Terminal) -> None:
    shell = terminal("sh", "-c", "stty raw -echo; echo go; dd bs=1 count=2 2>/dev/null | od -An -tx1; stty sane")
    shell.expect_exact("go")
    shell.send("\x10x")
    shell.expect_exact("10 78")


def test_e1_a_lost_terminal_stops_nothing(terminal: Terminal, docker: Docker, container: str) -> None:
    shell = terminal("sh", "-c", "trap '' HUP; echo here; exec sleep 4343")
    shell.expect_exact("here")
    shell.close(force=True)
    time.sleep(0.5)
    assert any("sleep 4343" in " ".join(row) for row in docker.processes(container)[1])


@contextmanager
def relay(docker: Docker, door: Path, *, early: int = 0) -> Iterator[str]:
    """Plays the gateway until the end of the block. The first ``early`` sizes come before the program runs."""
    program = subprocess.Popen([sys.executable, "-c", RELAY, str(door), docker.socket, str(early)])
    try:
        assert until(door.exists, 60)
        yield str(door)
    finally:
        program.kill()
        program.wait()


def test_the_size_is_told_as_soon_as_the_program_runs(docker: Docker, container: str, tmp_path: Path) -> None:
    waiting = "until [ \"$(stty size)\" = '30 100' ]; do sleep 0.05; done; echo told"
    with relay(docker, tmp_path / "door.sock", early=3) as door:
        program = json.dumps([door, container, {"command": ["sh", "-c", waiting], "tty": True}])
        shell = pexpect.spawn(
            sys.executable, ["-c", ATTACH, program], dimensions=(30, 100), encoding="utf-8", timeout=120
        )
        shell.expect_exact("told")
        shell.expect_exact("left=False lost=False")


def test_e1_a_lost_gateway_is_told_apart_from_an_end(docker: Docker, container: str, tmp_path: Path) -> None:
    """The gateway is killed while the shell is open."""
    with relay(docker, tmp_path / "door.sock") as door:
        program = json.dumps([door, container, {"command": ["sh", "-c", "echo here; exec sleep 4444"], "tty": True}])
        shell = pexpect.spawn(sys.executable, ["-c", ATTACH, program], encoding="utf-8", timeout=120)
        shell.expect_exact("here")
    shell.expect_exact("left=False lost=True")
    assert any("sleep 4444" in " ".join(row) for row in docker.processes(container)[1])


def test_the_terminal_is_as_before_afterwards(docker: Docker, container: str) -> None:

    program = json.dumps([docker.socket, container, {"command": ["sh", "-c", "exit 3"], "tty": True}])
    attach = shlex.join([sys.executable, "-c", ATTACH, program])
    shell = pexpect.spawn("sh", ["-c", f"stty -g; {attach}; stty -g"], encoding="utf-8", timeout=120)
    shell.expect(pexpect.EOF)
    settings = [line for line in (shell.before or "").splitlines() if line.count(":") > 10]
    assert len(settings) == 2
    assert settings[0] == settings[1]


def test_pipes_are_binary_and_neither_side_waits_for_the_other(piped: Piped) -> None:
    given = os.urandom(8 * 1024 * 1024)
    ran = piped(given, "cat")
    assert ran.returncode == 0
    assert ran.stdout == given


def test_output_and_errors_are_kept_apart(piped: Piped) -> None:
    ran = piped(b"", "sh", "-c", "echo out; echo err >&2; exit 5")
    assert (ran.returncode, ran.stdout) == (5, b"out\n")
    assert ran.stderr.startswith(b"err\n")


def test_the_end_of_the_input_arrives(piped: Piped) -> None:
    assert piped(b"a\nb\n", "wc", "-l").stdout.strip() == b"2"


def test_a_program_that_reads_nothing_ends_anyway(piped: Piped) -> None:
    assert piped(os.urandom(4 * 1024 * 1024), "true").returncode == 0


def test_a_program_that_does_not_exist_has_the_usual_code(piped: Piped) -> None:
    assert piped(b"", "no-such-program").returncode in (126, 127)


def test_it_runs_as_the_containers_user_in_the_folder_asked_for(piped: Piped) -> None:
    ran = piped(b"", "sh", "-c", "id -u; pwd; echo $SEED", folder="/tmp", environment={"SEED": "1"})
    assert ran.stdout == b"1001\n/tmp\n1\n"


def test_the_log_is_told_apart(docker: Docker, container: str) -> None:
    assert until(lambda: sorted(docker.logs(container)) == [(1, b"out\n"), (2, b"err\n")], 60)
    assert list(docker.logs(container, tail="0")) == []


def test_what_the_engine_cannot_start_is_no_output_of_a_program(piped: Piped) -> None:
    done = piped(b"", "no-such-program")
    assert (done.returncode, done.stdout) == (126, b"")


def test_a_program_that_speaks_like_the_engine_is_heard(piped: Piped) -> None:
    said = "OCI runtime exec failed, said a program"
    assert piped(b"", "sh", "-c", f"echo '{said}'; sleep 0.2; echo more").stdout == f"{said}\nmore\n".encode()
