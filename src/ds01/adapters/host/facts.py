"""Facts about this host, read from the kernel and the directory of users.

Everything is read in a thread: a home on a dead file server blocks, and the daemon goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import grp
import ipaddress
import os
import pwd
import re
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ds01.adapters.host import trial
from ds01.adapters.host.mounts import mount_of, mounted
from ds01.adapters.host.processes import held
from ds01.adapters.host.steps import step_guard
from ds01.domain.people import FIRST_PERSON
from ds01.ports.facts import DiskFacts, FileFacts, Hardware, MountFacts, ProcessFacts

_LISTENING = "0A"
_UNSYNCHRONISED = 5
_ANSWER_SECONDS = 3.0
_BEGAN = 19
"""Where a process' begin stands in its ``stat``, counted from behind its name."""
_REPLACED = " (deleted)"
"""What the kernel says behind the path of a program that was updated while it ran."""


class SystemFacts:
    """The real host. ``proc`` is where the kernel's files are."""

    def __init__(self, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> None:
        self._proc = proc
        self._cgroups = cgroups

    async def file(self, path: str) -> FileFacts | None:
        """Who may do what with it; links are followed."""
        return await asyncio.to_thread(_file, path)

    async def mount(self, path: str) -> MountFacts | None:
        """The mount this path is on."""
        return await asyncio.to_thread(_mount, path)

    async def disk(self, path: str) -> DiskFacts | None:
        """Free is what is left for programs that are not root's."""
        return await asyncio.to_thread(_disk, path)

    async def hardware(self) -> Hardware:
        """Cores and memory."""
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return Hardware(cpus=os.cpu_count() or 1, memory_bytes=memory)

    async def listeners(self) -> frozenset[tuple[str, int]]:
        """From ``/proc/net/tcp`` and ``tcp6``."""
        return await asyncio.to_thread(lambda: frozenset(_listeners(self._proc)))

    async def processes(self, pids: Sequence[int]) -> Mapping[int, ProcessFacts]:
        """From ``/proc/<pid>``."""
        return await asyncio.to_thread(lambda: dict(_processes(self._proc, pids)))

    async def routes(self) -> frozenset[ipaddress.IPv4Network]:
        """From ``/proc/net/route``."""
        return await asyncio.to_thread(lambda: frozenset(_routes(self._proc)))

    async def has_address(self, address: str) -> bool:
        """Tried."""
        return await asyncio.to_thread(trial.has_address, address)

    async def sysctl(self, name: str) -> str | None:
        """From ``/proc/sys``."""
        return _text(self._proc / "sys" / name.replace(".", "/"))

    async def cgroup_version(self) -> int:
        """2 when the unified tree is what is mounted."""
        if (self._cgroups / "cgroup.controllers").exists():
            return 2
        return 1 if (self._cgroups / "memory").is_dir() else 0

    async def members(self, group: str) -> frozenset[str]:
        """From NSS; accounts with it as first group count when the directory can list them."""
        return await asyncio.to_thread(_members, group)

    async def headers(self, socket: str, path: str) -> Mapping[str, str] | None:
        """One GET, closed at once."""
        try:
            return await asyncio.wait_for(_headers(socket, path), _ANSWER_SECONDS)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return None

    async def step_guard(self, engine: str) -> str:
        """From the environment of the engine's process."""
        return await asyncio.to_thread(step_guard, self._proc, engine)

    async def text(self, path: str) -> str | None:
        """At most a megabyte of it: a configuration is smaller."""
        return await asyncio.to_thread(trial.text, path)

    async def version_of(self, program: str) -> str:
        """From ``--version``."""
        return await asyncio.to_thread(trial.version_of, program)

    async def crypto_sockets(self) -> bool:
        """Tried."""
        return await asyncio.to_thread(trial.crypto_sockets)

    async def opens(self, path: str) -> bool | None:
        """Tried, in the cgroup of whoever is logged in."""
        return await asyncio.to_thread(trial.opens, path, self._cgroups)

    async def clock_synchronised(self) -> bool | None:
        """What ``adjtimex`` says, without changing anything."""
        return await asyncio.to_thread(_synchronised)


def _file(path: str) -> FileFacts | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFSOCK: "socket"}
    return FileFacts(
        kind=kinds.get(stat.S_IFMT(found.st_mode), "other"),
        owner_uid=found.st_uid,
        group=_group(found.st_gid),
        mode=stat.S_IMODE(found.st_mode),
        size_bytes=found.st_size,
    )


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _mount(path: str) -> MountFacts | None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        found = mount_of(fd, mounted())
    finally:
        os.close(fd)
    return MountFacts(point=found.point, kind=found.kind, options=found.options) if found is not None else None


def _disk(path: str) -> DiskFacts | None:
    try:
        found = os.statvfs(path)
    except (OSError, ValueError):
        return None
    return DiskFacts(free_bytes=found.f_bavail * found.f_frsize, total_bytes=found.f_blocks * found.f_frsize)


def _listeners(proc: Path) -> Iterator[tuple[str, int]]:
    for table in ("tcp", "tcp6"):
        for line in (_text(proc / "net" / table) or "").splitlines()[1:]:
            fields = line.split()
            if len(fields) > 3 and fields[3] == _LISTENING:
                address, _, port = fields[1].partition(":")
                yield _address(address), int(port, 16)


def _address(text: str) -> str:
    """The kernel writes addresses as 32-bit words in the machine's byte order."""
    words = (int(text[at : at + 8], 16) for at in range(0, len(text), 8))
    return str(ipaddress.ip_address(b"".join(word.to_bytes(4, sys.byteorder) for word in words)))


def _routes(proc: Path) -> Iterator[ipaddress.IPv4Network]:
    """Target and mask are the bytes of the address as the processor has them in a number."""
    for line in (_text(proc / "net/route") or "").splitlines()[1:]:
        words = line.split()
        where, mask = (int(word, 16).to_bytes(4, sys.byteorder) for word in (words[1], words[7]))
        if any(mask):
            yield ipaddress.IPv4Network((where, str(ipaddress.IPv4Address(mask))), strict=False)


def _text(path: Path) -> str | None:
    """As it is: a carriage return in a name of hers would be the begin of a line where Python reads text."""
    try:
        return path.read_bytes().decode(errors="replace").strip()
    except (OSError, ValueError):
        return None


def _members(group: str) -> frozenset[str]:
    try:
        found = grp.getgrnam(group)
    except KeyError:
        return frozenset()
    first = {entry.pw_name for entry in pwd.getpwall() if entry.pw_gid == found.gr_gid}
    return frozenset(found.gr_mem) | first


async def _headers(socket: str, path: str) -> Mapping[str, str] | None:
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: ds01\r\nConnection: close\r\n\r\n".encode("ascii"))
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    lines = re.split(r"\r\n", head.strip())
    pairs = (line.partition(":") for line in lines[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


class _Timex(ctypes.Structure):
    """``struct timex`` with room for what is not read."""

    _fields_ = [("modes", ctypes.c_uint), ("rest", ctypes.c_byte * 1024)]


def _synchronised() -> bool | None:
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(_Timex(modes=0)))
    return None if state < 0 else state != _UNSYNCHRONISED


def _processes(proc: Path, pids: Sequence[int]) -> Iterator[tuple[int, ProcessFacts]]:
    booted = _booted(_text(proc / "stat") or "")
    for pid in pids:
        with held(proc / str(pid)) as folder, contextlib.suppress(OSError):
            if folder is not None:
                found = _process(folder, booted)
                if (proc / str(pid)).samefile(folder):  # of one that ended by now nothing could be read
                    yield pid, found


def _process(folder: Path, booted: int | None) -> ProcessFacts:
    command, cgroup, uid = _text(folder / "comm") or "?", _text(folder / "cgroup") or "", _uid(folder)
    began = _began(_text(folder / "stat") or "", booted)
    program = "" if uid is None or uid >= FIRST_PERSON else _program(folder)
    return ProcessFacts(
        command=_printable(command), user=_login(folder.stat().st_uid if uid is None else uid), cgroup=cgroup,
        started_at=began, program=program, uid=uid,
    )  # fmt: skip


def _uid(folder: Path) -> int | None:
    """Who started it: its folder is root's as soon as it asks not to be looked into."""
    lines = (_text(folder / "status") or "").split("\n")
    return next((int(line.split()[1]) for line in lines if line.startswith("Uid:")), None)


def _program(folder: Path) -> str:
    try:
        path, found = os.readlink(folder / "exe"), os.stat(folder / "exe")
    except OSError:
        return ""
    return path.removesuffix(_REPLACED) if found.st_uid == 0 and not found.st_mode & 0o022 else ""


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _booted(text: str) -> int | None:
    """When the machine was started, in seconds since 1970."""
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("btime ")), None)


def _began(text: str, booted: int | None) -> datetime | None:
    """From the 22nd field; the second one is a name in brackets that may have anything in it."""
    fields = text.rpartition(")")[2].split()
    if booted is None or len(fields) <= _BEGAN:
        return None
    return datetime.fromtimestamp(booted + int(fields[_BEGAN]) / os.sysconf("SC_CLK_TCK"), UTC)


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
