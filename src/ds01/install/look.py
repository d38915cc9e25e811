"""The server as it is: read, and never changed."""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ds01
from ds01.client.http import BadAnswerError, Request, send
from ds01.install.machine import Engine, Found, Machine, Package, Running
from ds01.install.manifest import Manifest, read
from ds01.install.paths import ADMINS, DOCKER, ENGINE, GATEWAY, GUARD, MANIFEST, PATH, UNITS, USUAL
from ds01.install.system import environment
from ds01.runc import launcher

_ENGINE_SOCKET = ("/run/docker.sock", "/var/run/docker.sock", "/run", "/var/run", "/")
"""A container that has one of these mounted finds the engine's socket."""
_OWNER = "ds01.owner.uid"
_NVIDIA, _DISPLAY = "0x10de", "0x03"
_SECONDS = 10.0
_LINKS = 40
"""So many the kernel follows."""


def machine() -> Machine:
    """The whole of it. What cannot be read is not there; what is missing then, the plan says."""
    root = os.geteuid() == 0
    runc = _runc()
    return Machine(
        root=root,
        systemd=Path("/run/systemd/system").is_dir(),
        package=_package(runc),
        engine=engine() if root else None,
        now=datetime.now(UTC),
        cpus=os.cpu_count() or 1,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        dockerd=shutil.which("dockerd", path=PATH) is not None,
        runc=runc,
        runc_loose=loose_on_the_way((Path(runc),)) if runc else "",
        units=frozenset(_loaded(("docker.service", "docker.socket", "containerd.service"))),
        active=frozenset(unit for unit in UNITS if _systemctl("is-active", unit) == "active"),
        enabled=frozenset(unit for unit in UNITS if _systemctl("is-enabled", unit) == "enabled"),
        groups=frozenset(entry.gr_name for entry in grp.getgrall() if entry.gr_name in (ADMINS, DOCKER)),
        users=frozenset(entry.pw_name for entry in pwd.getpwall() if entry.pw_name == GATEWAY),
        docker_users=tuple(members(DOCKER)),
        gpus=tuple(_models()),
        cards=sum(1 for _ in _cards()),
        first_facts=_facts(),
    )


def there(paths: Sequence[str]) -> dict[str, Found]:
    """What is at these paths; nothing is left out."""
    return {path: found for path in paths if (found := at(path)) is not None}


def at(path: str) -> Found | None:
    """What is at a path, None for nothing. Raises OSError for what is neither file, link nor folder."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return Found(link=os.readlink(path), mode=mode)
    if stat.S_ISDIR(status.st_mode):
        return Found(folder=True, mode=mode)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"{path} is no file")
    return Found(text=Path(path).read_bytes().decode("utf-8", "surrogateescape"), mode=mode)


def manifest() -> Manifest:
    """What was written before; nothing at first. Raises ValueError when it cannot be read."""
    found = at(MANIFEST)
    return read(found.text) if found else Manifest()


def members(group: str) -> Iterator[str]:
    """Who is in a Unix group, root left out."""
    try:
        entry = grp.getgrnam(group)
    except KeyError:
        return
    first = {user.pw_name for user in pwd.getpwall() if user.pw_gid == entry.gr_gid}
    yield from sorted({*entry.gr_mem, *first} - {"root"})


# The package -------------------------------------------------------------------------------------------
def _package(runc: str) -> Package:
    programs = Path(sys.executable).parent
    used = (Path(sys.executable), Path(sys.executable).resolve(), programs / "ds01", Path(ds01.__file__).resolve())
    return Package(
        bin=str(programs),
        version=ds01.__version__,
        closed=next((str(folder) for folder in _way(used) if _closed(folder)), ""),
        loose=loose_on_the_way(used),
        guard={str(path): text for path, text in launcher.texts(Path(GUARD), runc).items()} if runc else {},
    )


def loose_on_the_way(files: Sequence[Path]) -> str:
    """What others than root may change: a file, a folder it is in, or where a link on the way leads; empty for none."""
    followed = [step for file in files for step in _followed(file)]
    return next((str(path) for path in _way(followed) if _loose(path)), "")


def _followed(path: Path) -> Iterator[Path]:
    yield path
    for _ in range(_LINKS):
        if not path.is_symlink():
            break
        path = path.parent / path.readlink()
        yield path
    yield path.resolve()


def _way(files: Sequence[Path]) -> list[Path]:
    return list(dict.fromkeys(folder for file in files for folder in (file, *file.parents)))[::-1]


def _closed(path: Path) -> bool:
    wanted = stat.S_IXOTH if path.is_dir() else stat.S_IROTH
    return not path.exists() or not path.stat().st_mode & wanted


def _loose(path: Path) -> bool:
    """Whether somebody else than root may change it. Links have no rights of their own."""
    if not path.exists():
        return False
    status = path.stat()
    by_group = status.st_mode & stat.S_IWGRP and status.st_gid != 0
    by_others = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
    return bool(status.st_uid != 0 or by_group or by_others)


def _runc() -> str:
    try:
        return launcher.real_runc(Path(GUARD), PATH)
    except FileNotFoundError:
        return ""


def _facts() -> str:
    """What the guard knows: as it is written, or as it would be at first."""
    found = at(f"{GUARD}/server.json") if os.geteuid() == 0 else None
    return found.text if found else json.dumps(launcher.first_facts(Path("/var/lib/docker"), outside="refused"))


# The engine --------------------------------------------------------------------------------------------
def engine() -> Engine | None:
    """The one that answers, with what runs in it."""
    for socket in (ENGINE, USUAL):
        try:
            return _answering(socket)
        except (OSError, BadAnswerError, ValueError, KeyError):
            continue
    return None


def _answering(socket: str) -> Engine:
    info = ask(socket, "/info")
    pid = _systemctl("show", "--property=MainPID", "--value", "docker.service")
    return Engine(
        socket=socket,
        version=str(info["ServerVersion"]),
        data_root=str(info["DockerRootDir"]),
        default_runtime=str(info.get("DefaultRuntime") or ""),
        live_restore=bool(info.get("LiveRestoreEnabled")),
        options=tuple(_words(f"/proc/{pid}/cmdline")[1:]),
        path=next((word[5:] for word in _words(f"/proc/{pid}/environ") if word.startswith("PATH=")), ""),
        containers=tuple(_running(each) for each in ask(socket, "/containers/json")),
    )


def ask(socket: str, target: str) -> Any:
    """The engine's answer. Raises OSError, BadAnswerError or ValueError when there is no good one."""
    answer = send(socket, Request(method="GET", target=target), _SECONDS)
    body = answer.read()
    if answer.status != 200:
        raise ValueError(f"{target}: status {answer.status}")
    return json.loads(body)


def _running(data: dict[str, Any]) -> Running:
    owner = (data.get("Labels") or {}).get(_OWNER)
    sources = {mount.get("Source") for mount in data.get("Mounts") or ()}
    return Running(
        name=str((data.get("Names") or ["/"])[0]).removeprefix("/"), ours=owner is not None,
        owner=_login(owner), asks_engine=not sources.isdisjoint(_ENGINE_SOCKET),
    )  # fmt: skip


def _login(uid: str | None) -> str:
    """The number, for somebody whose account is gone."""
    try:
        return pwd.getpwuid(int(uid)).pw_name if uid else ""
    except (KeyError, ValueError):
        return uid or ""


def _words(path: str) -> list[str]:
    try:
        return [word for word in Path(path).read_bytes().decode(errors="replace").split("\0") if word]
    except OSError:
        return []


# systemd, cards ----------------------------------------------------------------------------------------
def _loaded(units: Sequence[str]) -> Iterator[str]:
    for unit in units:
        if _systemctl("show", "--property=LoadState", "--value", unit) == "loaded":
            yield unit


def _systemctl(*words: str) -> str:
    try:
        return subprocess.run(
            ["systemctl", *words], capture_output=True, text=True, check=False, env=environment()
        ).stdout.strip()
    except FileNotFoundError:
        return ""


def _models() -> Iterator[str]:
    """As the driver names them."""
    for file in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        lines = (line.partition(":") for line in file.read_text(errors="replace").splitlines())
        yield from (value.strip() for name, _, value in lines if name == "Model")


def _cards() -> Iterator[Path]:
    """NVIDIA's cards, whatever drivers say."""
    for device in Path("/sys/bus/pci/devices").glob("*"):
        try:
            vendor, kind = (device / "vendor").read_text().strip(), (device / "class").read_text().strip()
        except OSError:
            continue
        if vendor == _NVIDIA and kind.startswith(_DISPLAY):
            yield device
