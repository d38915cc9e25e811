"""A container's first process that ends at the right moment, and another that has its number then.

The engine tells runc whom to join by a number. In between her shell ends the process, and lets one of her container
with root have the number: what was to be hers alone would be where root waits for an open folder of the server.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from ds01.runc import launcher
from tests.engine.gateway.ground import Ground, User, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]

WAITS = """#!/usr/bin/env python3
import os, sys, time
place = {place!r}
if sys.argv[-1] == {container!r} and {command!r} in sys.argv and not os.path.exists(place + "/there"):
    open(place + "/there", "w").close()
    while not os.path.exists(place + "/go"): time.sleep(0.01)
os.execv({runc!r}, [{runc!r}, *sys.argv[1:]])
"""
"""A runc that waits before it begins, once."""

TAKES = """
import os, sys
number, inside = int(sys.argv[1]), sys.argv[2]
for _ in range(300):
    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
        last.write(str(number - 1))
    child = os.fork()
    if not child:
        if os.getpid() != number:
            os._exit(0)
        os.execvp("nsenter", ["nsenter", "-t", inside, "-n", "-i", "-u", "sleep", "600"])
    if child == number:
        print("taken", flush=True)
        break
    os.waitpid(child, 0)
else:
    print("nobody's", flush=True)
sys.stdin.read()
"""
"""Lets a process in another container's namespaces have a number, if it can be had."""


@contextmanager
def waiting(field: Ground, place: Path, container: str, command: str) -> Iterator[None]:
    """The guard becomes such a runc meanwhile."""
    guard = Path(field.engine.root) / "guard"
    program = guard / "guard.py"
    before = program.read_text()
    (runc,) = (word for word in before.split("'") if word.endswith("/runc"))
    stands_in = place / "runc"
    stands_in.write_text(WAITS.format(place=str(place), container=container, command=command, runc=runc))
    stands_in.chmod(0o755)
    program.write_text(launcher.texts(guard, str(stands_in))[program])
    try:
        yield
    finally:
        (place / "go").touch()
        program.write_text(before)


@contextmanager
def taking(number: int, inside: int) -> Iterator[str]:
    """Whether a process in these namespaces could take the number; it has it meanwhile."""
    command = [sys.executable, "-c", TAKES, str(number), str(inside)]
    taker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert taker.stdout is not None
    try:
        yield taker.stdout.readline().strip()
    finally:
        os.killpg(taker.pid, signal.SIGKILL)
        taker.communicate()


def first(field: Ground, container: str) -> int:
    """The number of a container's first process."""
    return int(field.seen(container)["State"]["Pid"])


def network(pid: int) -> int:
    """Which network namespace a process is in."""
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def ended(mallory: User, pid: int) -> None:
    """Her shell ends it."""
    done = mallory.person.run("/bin/kill", "-9", str(pid))
    assert done.code == 0, done.err


@pytest.fixture
def hers(mallory: User) -> str:
    """A container in which everything runs as she."""
    return mallory.runs("", User=f"{mallory.uid}:{mallory.person.gid}")


@pytest.fixture
def roots(mallory: User, field: Ground) -> int:
    """The first process of one in which root waits."""
    return first(field, mallory.runs("", User="0"))


def test_e38_a_start_joins_what_was_looked_at(
    mallory: User, field: Ground, hers: str, roots: int, tmp_path: Path
) -> None:
    pid = first(field, hers)
    wanted = network(pid)
    made = mallory.create(
        "", Cmd=["sleep", "600"], User=f"{mallory.uid}:{mallory.person.gid}",
        HostConfig={"NetworkMode": f"container:{hers}"},
    )  # fmt: skip
    assert made.status == 201, made.body
    container = made.json["Id"]
    with ThreadPoolExecutor() as pool, waiting(field, tmp_path, container, "create"):
        starting = pool.submit(mallory.docker, "start", container)
        wait(lambda: (tmp_path / "there").exists() or starting.done())
        assert not starting.done(), starting.result()
        ended(mallory, pid)
        wait(lambda: not Path(f"/proc/{pid}").exists())
        with taking(pid, roots) as taken:
            assert taken == "taken"
            wait(lambda: network(pid) == network(roots))
            (tmp_path / "go").touch()
            started = starting.result()
        assert started.code == 0, started.err
        assert network(first(field, container)) == wanted


def test_e38_nobody_has_the_number_while_an_exec_joins(
    mallory: User, field: Ground, hers: str, roots: int, tmp_path: Path
) -> None:
    pid = first(field, hers)
    with ThreadPoolExecutor() as pool, waiting(field, tmp_path, hers, "exec"):
        joining = pool.submit(mallory.docker, "exec", hers, "id")
        wait(lambda: (tmp_path / "there").exists() or joining.done())
        assert not joining.done(), joining.result()
        ended(mallory, pid)
        with taking(pid, roots) as taken:
            assert taken == "nobody's"
            (tmp_path / "go").touch()
            done = joining.result()
            assert (done.code != 0, "uid=" in done.out) == (True, False), done
    wait(lambda: not field.seen(hers)["State"]["Running"])
    wait(lambda: not Path(f"/proc/{pid}").exists())


def test_many_at_once_join_one_container(mallory: User, hers: str) -> None:
    """They take turns, and none is refused for it."""
    with ThreadPoolExecutor(12) as pool:
        done = list(pool.map(lambda number: mallory.docker("exec", hers, "echo", str(number)), range(24)))
    assert [each.out.strip() for each in done] == [str(number) for number in range(24)], done
