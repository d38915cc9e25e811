"""The steps of BuildKit builds: which ``runc`` the engine starts them with, and what each user's may use.

BuildKit takes the first ``runc`` in the engine's ``PATH``, past the default runtime. Ours (``ds01-runc``) is
there or it is not: that is read from the engine's process itself, not from anybody's configuration. A newer engine may
name another program in its environment; then that one must be ours as well.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import struct
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from ds01.adapters.host.processes import held
from ds01.ports.host import StepPermit

_MARK = b"ds01-runc"
_OVERRIDE = "DOCKER_BUILDKIT_RUNC_COMMAND"
_CREDENTIALS = struct.Struct("3i")
_SECONDS = 5
_HERE = Path("/proc/self/ns/pid")
"""Where processes of the server are, and those of no container."""


def step_guard(proc: Path, engine: str) -> str:
    """The folder of the guard; empty when there is none, or when it is not certain which engine answers."""
    try:
        found = set(_guards(proc, [_maker(engine)])) or set(_guards(proc, _everything(proc)))
    except OSError:
        return ""
    return found.pop() if len(found) == 1 else ""


def _maker(engine: str) -> str:
    """The process that made the socket: the engine, or systemd for whichever engine there is."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(engine)
        data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return str(_CREDENTIALS.unpack(data)[0])


def _everything(proc: Path) -> list[str]:
    return [entry.name for entry in proc.iterdir() if entry.name.isdecimal()]


def _guards(proc: Path, pids: Iterable[str]) -> Iterator[str]:
    """Of those that are engines."""
    for pid in pids:
        with held(proc / pid) as process:
            if process is not None and _is_engine(process):
                yield _guard(process)


def _is_engine(process: Path) -> bool:
    """By its name, and by being root's on this server: anybody may call a process so, and what is in its environment
    is opened. One that took root's rights by its file (``sudo``), or is root in a container, has an environment of
    somebody else's.
    """
    try:
        return (
            (process / "comm").read_bytes() == b"dockerd\n"
            and b"\nUid:\t0\t" in (process / "status").read_bytes()
            and (process / "ns/pid").stat() == _HERE.stat()
            and _is_roots((process / "exe").stat())
        )
    except OSError:
        return False


def _is_roots(program: os.stat_result) -> bool:
    return program.st_uid == 0 and not program.st_mode & (stat.S_ISUID | stat.S_IWGRP | stat.S_IWOTH)


def _guard(process: Path) -> str:
    lines = (process / "environ").read_bytes().split(b"\0")
    environment = dict(line.decode("utf-8", "replace").split("=", 1) for line in lines if b"=" in line)
    named = environment.get(_OVERRIDE)
    if named and not _ours(Path(named)):
        return ""
    for folder in environment.get("PATH", "").split(os.pathsep):
        program = Path(folder) / "runc"
        if os.access(program, os.X_OK):
            return folder if _ours(program) else ""
    return ""


def _ours(program: Path) -> bool:
    with program.open("rb") as file:
        return _MARK in file.read(512)


def permit(folder: Path, uid: int, given: StepPermit) -> None:
    """Write down what the guard in ``folder`` gives a user's steps."""
    permits = folder / "builds"
    permits.mkdir(mode=0o700, exist_ok=True)
    values = asdict(given)
    values["cgroup"] = _cgroup(values.pop("parent"))
    part = permits / f".{uid}.part"
    part.write_text(json.dumps(values))
    part.rename(permits / f"{uid}.json")


def _cgroup(parent: str) -> str:
    """The path of a slice. systemd puts ``a-b.slice`` below ``a.slice``."""
    if parent.startswith("/"):
        return parent
    names = parent.removesuffix(".slice").split("-")
    return "".join(f"/{'-'.join(names[: count + 1])}.slice" for count in range(len(names)))
