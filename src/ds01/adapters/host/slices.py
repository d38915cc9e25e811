"""The cgroup that holds everything of one user: ``ds01-u<uid>.slice``, with the limits of all her containers together.

Which files or unit that is depends on the engine's cgroup driver and on the kernel's cgroup version; the engine is
told a different parent by each driver.
"""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ds01.domain.errors import CONTAINER_QUOTA, INTERNAL, Ds01Error
from ds01.domain.limits import Value
from ds01.domain.people import User

_PERIOD_MICROSECONDS = 100_000
_CONTROLLERS = ("cpu", "memory", "pids")


class Slices:
    """Slices by ``driver`` (``cgroupfs`` or ``systemd``) below ``root``, where cgroups are mounted."""

    def __init__(self, driver: str, root: Path = Path("/sys/fs/cgroup")) -> None:
        self._driver = driver
        self._root = root
        self._told: dict[str, tuple[str, ...]] = {}
        """What systemd was told last. It remembers until the next boot, and each telling takes 50 ms of a launch."""
        self._set: dict[str, tuple[object, ...]] = {}
        """The limits that were set last, and in which folders: one that went and came again has another number."""

    def ensure(self, user: User, aggregate: Mapping[str, Value]) -> str:
        """Create the user's slice or set its limits anew; returns what the engine calls ``CgroupParent``."""
        if self._driver == "systemd":
            self._unit(user.slice, _settings(aggregate))
            return user.slice
        try:
            self._groups(user.slice, aggregate)
        except OSError as error:
            raise _sentence(user, error) from error
        return f"/{user.slice}"

    def _unit(self, name: str, settings: tuple[str, ...]) -> None:
        if self._told.get(name) != settings:
            _systemctl("start", name)
            _systemctl("set-property", "--runtime", name, *settings)
            self._told[name] = settings

    def _groups(self, name: str, aggregate: Mapping[str, Value]) -> None:
        """The slice's folders, with these limits; written only where they may be others."""
        unified = (self._root / "cgroup.controllers").exists()
        folders = [self._root / name] if unified else [self._root / controller / name for controller in _CONTROLLERS]
        wanted = tuple(sorted(aggregate.items(), key=lambda limit: limit[0]))
        if self._set.get(name) == (wanted, *map(_number, folders)):
            return
        if unified:
            self._unified(name, aggregate)
        else:
            self._by_controller(name, aggregate)
        self._set[name] = (wanted, *map(_number, folders))

    def _unified(self, name: str, aggregate: Mapping[str, Value]) -> None:
        enabled = self._root / "cgroup.subtree_control"
        missing = [c for c in _CONTROLLERS if c not in enabled.read_text().split()]
        if missing:
            enabled.write_text(" ".join(f"+{controller}" for controller in missing))
        folder = self._root / name
        folder.mkdir(exist_ok=True)
        quota = _quota(aggregate)
        (folder / "cpu.max").write_text(f"{'max' if quota < 0 else quota} {_PERIOD_MICROSECONDS}")
        (folder / "memory.max").write_text(_or_max(aggregate, "memory"))
        (folder / "pids.max").write_text(_or_max(aggregate, "pids"))

    def _by_controller(self, name: str, aggregate: Mapping[str, Value]) -> None:
        cpu, memory, pids = (self._root / controller / name for controller in _CONTROLLERS)
        for folder in (cpu, memory, pids):
            folder.mkdir(exist_ok=True)
        (cpu / "cpu.cfs_period_us").write_text(str(_PERIOD_MICROSECONDS))
        (cpu / "cpu.cfs_quota_us").write_text(str(_quota(aggregate)))
        _make_hierarchical(memory / "memory.use_hierarchy")
        (memory / "memory.limit_in_bytes").write_text(_or_max(aggregate, "memory").replace("max", "-1"))
        (pids / "pids.max").write_text(_or_max(aggregate, "pids"))


def _number(folder: Path) -> int:
    """Which folder it is; 0 where there is none."""
    try:
        return folder.stat().st_ino
    except FileNotFoundError:
        return 0


def _make_hierarchical(switch: Path) -> None:
    """Old kernels count a child's memory for its parent only when told so."""
    if switch.exists() and switch.read_text().strip() == "0":
        switch.write_text("1")


def _quota(aggregate: Mapping[str, Value]) -> int:
    """Microseconds of CPU a period; -1 is no limit."""
    cpus = aggregate.get("cpus")
    return -1 if cpus is None else int(float(str(cpus)) * _PERIOD_MICROSECONDS)


def _or_max(aggregate: Mapping[str, Value], key: str) -> str:
    value = aggregate.get(key)
    return "max" if value is None else str(int(str(value)))


def _settings(aggregate: Mapping[str, Value]) -> tuple[str, ...]:
    """The limits as properties of a unit; empty and ``infinity`` take one of before away."""
    cpus = aggregate.get("cpus")
    return (
        f"CPUQuota={'' if cpus is None else f'{round(float(str(cpus)) * 100)}%'}",
        f"MemoryMax={_or_max(aggregate, 'memory').replace('max', 'infinity')}",
        f"TasksMax={_or_max(aggregate, 'pids').replace('max', 'infinity')}",
    )


def _systemctl(*words: str) -> None:
    try:
        subprocess.run(["systemctl", *words], check=True, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise Ds01Error(
            INTERNAL, "The user's slice cannot be made by systemd.", reason=str(said).strip(), hint="ds01 doctor"
        ) from error


def _sentence(user: User, error: OSError) -> Ds01Error:
    if error.errno == errno.EBUSY:
        return Ds01Error(
            CONTAINER_QUOTA,
            f"The running containers of {user.login} already use more memory than all of them together may.",
            reason=f"{error.filename}: {error.strerror}",
            hint="Stop one of them: ds01 list",
        )
    return Ds01Error(
        INTERNAL,
        f"The cgroup of {user.login} cannot be made.",
        reason=f"{error.filename}: {error.strerror or error}",
        hint="ds01 doctor",
    )
