"""Which runc an engine starts build steps with, read from a made-up /proc."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ds01.adapters.host.steps import permit, step_guard
from ds01.ports.host import StepPermit
from ds01.runc import launcher

PERMIT = StepPermit(
    parent="ds01-u1001.slice", memory_bytes=1, swap_bytes=0, cpu_period_us=1, cpu_quota_us=1, pids=1
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    launcher.write(tmp_path / "guard", tmp_path / "data", "/usr/sbin/runc")
    (tmp_path / "usual").mkdir()
    (tmp_path / "usual/runc").write_text("ELF")
    (tmp_path / "usual/runc").chmod(0o755)
    return tmp_path


def engine(place: Path, pid: int, comm: str = "dockerd", **environment: str) -> None:
    folder = place / "proc" / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comm").write_bytes(os.fsencode(f"{comm}\n"))
    (folder / "status").write_text(f"Name:\t{comm!a}\nUid:\t0\t0\t0\t0\n")
    (folder / "ns").mkdir(exist_ok=True)
    for link, aim in {"exe": "/bin/sh", "ns/pid": "/proc/self/ns/pid"}.items():
        (folder / link).unlink(missing_ok=True)
        (folder / link).symlink_to(aim)
    (folder / "environ").write_text("\0".join(f"{key}={value}" for key, value in environment.items()) + "\0")


def found(place: Path) -> str:
    (place / "e.sock").unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place / "e.sock"))
        listening.listen()
        return step_guard(place / "proc", str(place / "e.sock"))


def test_the_engine_that_listens_is_asked(place: Path) -> None:
    engine(place, os.getpid(), PATH=f"{place}/none:{place}/guard:{place}/usual")
    engine(place, 77, PATH=f"{place}/usual")
    assert found(place) == f"{place}/guard"


@pytest.mark.parametrize("path", ["{0}/usual:{0}/guard", "{0}/none", ""])
def test_a_guard_that_is_not_the_first_is_none(place: Path, path: str) -> None:
    engine(place, os.getpid(), PATH=path.format(place))
    assert found(place) == ""


def test_a_runc_named_in_the_environment_counts_too(place: Path) -> None:
    engine(place, os.getpid(), PATH=f"{place}/guard", DOCKER_BUILDKIT_RUNC_COMMAND=f"{place}/usual/runc")
    assert found(place) == ""


def test_when_systemd_made_the_socket_every_engine_must_have_it(place: Path) -> None:
    engine(place, os.getpid(), comm="systemd")
    engine(place, 77, PATH=f"{place}/guard")
    assert found(place) == f"{place}/guard"
    engine(place, 78, PATH=f"{place}/usual")
    assert found(place) == ""


def test_a_process_that_calls_itself_anything_hides_no_engine(place: Path) -> None:
    engine(place, os.getpid(), comm="systemd")
    engine(place, 77, PATH=f"{place}/guard")
    engine(place, 78, comm="\udcff")
    assert found(place) == f"{place}/guard"


def hers(process: Path) -> None:
    (process / "status").write_text("Name:\tdockerd\nUid:\t1001\t0\t0\t0\n")


def her_program(process: Path) -> None:
    (process / "exe").unlink()
    (process / "exe").write_text("")
    (process / "exe").chmod(0o777)


def with_roots_rights(process: Path) -> None:
    her_program(process)
    (process / "exe").chmod(0o4755)


def in_a_container(process: Path) -> None:
    (process / "ns/pid").unlink()
    (process / "ns/pid").write_text("")


@pytest.mark.parametrize("disguise", [hers, her_program, with_roots_rights, in_a_container])
def test_what_only_calls_itself_the_engine_is_not_asked(place: Path, disguise: Callable[[Path], None]) -> None:
    engine(place, os.getpid(), comm="systemd")
    engine(place, 77, PATH=f"{place}/guard")
    engine(place, 78, PATH=f"{place}/usual")
    disguise(place / "proc/78")
    assert found(place) == f"{place}/guard"


def test_no_engine_no_guard(place: Path) -> None:
    engine(place, os.getpid(), comm="systemd")
    assert found(place) == ""
    assert step_guard(place / "proc", str(place / "nowhere.sock")) == ""


def test_permits_are_roots_alone_and_name_a_cgroup(place: Path) -> None:
    permit(place / "guard", 1001, PERMIT)
    assert (place / "guard/builds").stat().st_mode & 0o077 == 0
    assert json.loads((place / "guard/builds/1001.json").read_text())["cgroup"] == "/ds01.slice/ds01-u1001.slice"
