"""The terminal of whoever launches reaches the container's first process, once, or nothing does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ds01.adapters.host import terminals
from ds01.domain.container import ContainerId
from ds01.domain.terminal import Terminal
from ds01.runc.call import read_call, with_descriptors
from tests.unit.runc.test_guard import Runtime
from tests.unit.runc.test_rules import ID, PLAIN

ME = os.geteuid()
SESSION = ["/sbin/docker-init", "--", "/run/ds01/session"]
VARIABLES = {"TERM": "xterm", "PS1": "thesis:$PWD$ "}
SAYS = """#!/bin/sh
echo "$@" >{place}/arguments
readlink /proc/self/fd/3 >{place}/third
if [ -t 3 ]; then echo yes >{place}/tty; fi
"""


class Slave:
    """A pseudo terminal of this process's user."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        self.path = os.ttyname(slave)
        os.close(slave)

    @property
    def terminal(self) -> Terminal:
        return Terminal(path=self.path, environment=VARIABLES)


@pytest.fixture
def slave() -> Iterator[Slave]:
    made = Slave()
    yield made
    os.close(made.master)


class Spoken(Runtime):
    """A guard before a runc that says what it was called with, and a container of this process's user."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        runc = place / "runc"
        runc.write_text(SAYS.format(place=place))
        runc.chmod(0o755)
        real = self.guard / "guard.py"
        real.write_text(real.read_text().replace("/bin/true", str(runc)))
        cgroup = f"/ds01-u{ME}.slice/{ID}"
        self.plain = {**PLAIN, "linux": {**PLAIN["linux"], "cgroupsPath": cgroup}}
        self.write({**self.plain, "process": {**PLAIN["process"], "args": SESSION}})
        self.grant(uid=ME, gid=ME, as_owner=True)

    def offer(self, terminal: Terminal) -> Callable[[], None]:
        return terminals.offer(self.guard, ContainerId(ID), ME, terminal)

    def said(self, name: str) -> str:
        found = self.place / name
        return found.read_text().strip() if found.exists() else ""

    @property
    def process(self) -> dict[str, Any]:
        found: dict[str, Any] = self.config["process"]
        return found

    @property
    def offered(self) -> list[str]:
        return sorted(os.listdir(self.guard / "terminals"))


@pytest.fixture
def spoken(tmp_path: Path) -> Spoken:
    return Spoken(tmp_path)


def test_the_session_begins_on_the_terminal_that_is_offered(spoken: Spoken, slave: Slave) -> None:
    take_back = spoken.offer(slave.terminal)
    done = spoken.create()
    take_back()
    assert done.returncode == 0, done.stderr
    assert spoken.said("third") == slave.path
    assert spoken.said("tty") == "yes"
    assert " create --preserve-fds=1 --bundle " in spoken.said("arguments")
    assert spoken.process["args"] == ["/run/ds01/session", "begin", *SESSION]
    assert spoken.config["mounts"][-1]["source"] == slave.path
    assert {"TERM=xterm", "PS1=thesis:$PWD$ "} <= set(spoken.process["env"])


def test_it_is_good_for_one_start(spoken: Spoken, slave: Slave) -> None:
    take_back = spoken.offer(slave.terminal)
    assert spoken.create().returncode == 0
    assert spoken.offered == []
    spoken.write({**spoken.plain, "process": {**PLAIN["process"], "args": SESSION}})
    assert spoken.create().returncode == 0
    take_back()
    assert spoken.process["args"] == SESSION
    assert "--preserve-fds" not in spoken.said("arguments")


def test_what_is_taken_back_is_not_there(spoken: Spoken, slave: Slave) -> None:
    spoken.offer(slave.terminal)()
    assert spoken.offered == []
    assert spoken.create().returncode == 0
    assert spoken.process["args"] == SESSION


def test_an_offer_of_a_ds01d_that_died_counts_for_no_later_start(spoken: Spoken, slave: Slave) -> None:
    """Its open file may be another terminal of hers by then."""
    take_back = spoken.offer(slave.terminal)
    spoken.grant(uid=ME, gid=ME, as_owner=True)
    assert spoken.create().returncode == 0
    take_back()
    assert spoken.process["args"] == SESSION


def test_only_a_session_gets_it(spoken: Spoken, slave: Slave) -> None:
    for arguments in (["sleep", "1"], ["/run/ds01/session"], [*SESSION, "more"], ["/sbin/docker-init", "--", "sh"]):
        spoken.write({**spoken.plain, "process": {**PLAIN["process"], "args": arguments}})
        take_back = spoken.offer(slave.terminal)
        assert spoken.create().returncode == 0
        take_back()
        assert spoken.process["args"] == arguments
        assert spoken.said("third") != slave.path


def test_a_container_with_root_gets_none(spoken: Spoken, slave: Slave) -> None:
    spoken.grant(uid=ME, gid=ME, as_owner=False)
    take_back = spoken.offer(slave.terminal)
    assert spoken.create().returncode == 0
    take_back()
    assert spoken.process["args"] == SESSION


@pytest.mark.parametrize(
    "offer",
    [
        "no JSON", "[]", "{}", '{"path": "/dev/null", "environment": {}}', '{"path": "/etc/passwd", "environment": {}}',
        '{"path": "/dev/pts/99999999", "environment": {}}', '{"path": "/dev/ptmx", "environment": {}}',
        '{"path": 1, "environment": []}',
    ],
)  # fmt: skip
def test_what_is_no_terminal_of_hers_is_passed_over(spoken: Spoken, offer: str) -> None:
    (spoken.guard / "terminals" / f"{ID}.json").write_text(offer)
    assert spoken.create().returncode == 0
    assert spoken.process["args"] == SESSION
    assert "--preserve-fds" not in spoken.said("arguments")


def test_a_terminal_of_another_user_is_passed_over(spoken: Spoken, slave: Slave) -> None:
    os.chown(slave.path, ME + 1, -1)
    data = {"path": slave.path, "environment": {}}
    (spoken.guard / "terminals" / f"{ID}.json").write_text(json.dumps(data))
    assert spoken.create().returncode == 0
    assert spoken.process["args"] == SESSION


def test_only_a_terminals_variables_are_passed_on(spoken: Spoken, slave: Slave) -> None:
    odd = {"LD_PRELOAD": "/workspace/evil.so", "TERM": "xterm"}
    take_back = spoken.offer(Terminal(path=slave.path, environment=odd))
    assert spoken.create().returncode == 0
    take_back()
    assert "TERM=xterm" in spoken.process["env"]
    assert not [variable for variable in spoken.process["env"] if variable.startswith("LD_")]


def test_what_is_not_hers_is_not_offered(spoken: Spoken, slave: Slave, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(slave.path)
    os.chown(slave.path, ME + 1, -1)
    for path in (slave.path, "/dev/null", "/etc/passwd", str(link), "/dev/pts/99999999"):
        with pytest.raises(OSError, match=r".+"):
            spoken.offer(Terminal(path=path, environment={}))
    assert spoken.offered == []


def test_a_number_that_is_another_terminal_by_now_is_not_that_one(spoken: Spoken) -> None:
    first = Slave()
    take_back = spoken.offer(first.terminal)
    os.close(first.master)
    again = Slave()
    assert spoken.create().returncode == 0
    take_back()
    os.close(again.master)
    assert spoken.said("third") != again.path
    assert spoken.process["args"] == SESSION


def test_the_descriptors_are_named_after_the_command_wherever_it_stands() -> None:
    for words in (["create"], ["--root", "create", "--log=create", "create"], ["--systemd-cgroup", "create"]):
        arguments = [*words, "--bundle", "create", ID]
        told = with_descriptors(arguments, read_call(arguments), 1)
        assert told == [*words, "--preserve-fds=1", "--bundle", "create", ID]
