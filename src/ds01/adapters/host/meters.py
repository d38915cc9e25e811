"""Counters of containers from their cgroups, of version 1 or 2, made by either of the engine's drivers.

The engine could be asked, but one answer of its takes longer than all of this: with 200 containers a look is some
hundred small files. Where a container's files are is found once and remembered until they are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ds01.domain.cgroups import homes
from ds01.domain.container import ContainerId
from ds01.domain.people import Uid
from ds01.ports.meters import Meter

_NANO = 1_000_000_000
_MICRO = 1_000_000
_TRIES = 3
"""Processes asked for the network: the first one may just have ended."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """The folders of one container; in version 2 they are one."""

    cpu: Path
    memory: Path
    unified: bool


class CgroupMeters:
    """Needs root for other people's network counters. ``root`` is where cgroups are mounted."""

    def __init__(self, root: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")) -> None:
        self._root = root
        self._proc = proc
        self._places: dict[ContainerId, _Place] = {}

    def read(self, containers: Iterable[tuple[ContainerId, Uid]]) -> Mapping[ContainerId, Meter]:
        """One look at all of them."""
        wanted = list(containers)
        known = {container for container, _ in wanted}
        self._places = {container: place for container, place in self._places.items() if container in known}
        return {container: self._meter(container, uid) for container, uid in wanted}

    def pids(self, container: ContainerId, uid: Uid) -> tuple[int, ...]:
        """From its cgroup and those below it."""
        place = self._place(container, uid)
        return () if place is None else tuple(sorted(set(_pids(place.cpu))))

    def _meter(self, container: ContainerId, uid: Uid) -> Meter:
        place = self._place(container, uid)
        if place is None:
            return Meter()
        return Meter(
            cpu_seconds=_cpu(place),
            memory_bytes=_used(place),
            memory_peak_bytes=_number(place.memory / ("memory.peak" if place.unified else "memory.max_usage_in_bytes")),
            network_bytes=self._network(place),
        )

    def _network(self, place: _Place) -> int | None:
        """Of all interfaces but loopback, as any process of the container sees them."""
        for count, pid in enumerate(_pids(place.cpu)):
            if count == _TRIES:
                return None
            text = _text(self._proc / str(pid) / "net" / "dev")
            if text is not None:
                return sum(_interfaces(text))
        return None

    def _place(self, container: ContainerId, uid: Uid) -> _Place | None:
        known = self._places.get(container)
        if known is not None and known.cpu.exists():
            return known
        self._places.pop(container, None)
        found = self._look_for(homes(container, uid))
        if found is not None:
            self._places[container] = found
        return found

    def _look_for(self, names: Iterable[str]) -> _Place | None:
        if (self._root / "cgroup.controllers").exists():
            there = next((self._root / name for name in names if (self._root / name).is_dir()), None)
            return None if there is None else _Place(cpu=there, memory=there, unified=True)
        for name in names:
            cpu, memory = self._root / "cpuacct" / name, self._root / "memory" / name
            if cpu.is_dir():
                return _Place(cpu=cpu, memory=memory, unified=False)
        return None


def _cpu(place: _Place) -> float | None:
    if not place.unified:
        nanoseconds = _number(place.cpu / "cpuacct.usage")
        return None if nanoseconds is None else nanoseconds / _NANO
    microseconds = _field(place.cpu / "cpu.stat", "usage_usec")
    return None if microseconds is None else microseconds / _MICRO


def _used(place: _Place) -> int | None:
    """Memory as people mean it, without the file cache the kernel would give back."""
    used = _number(place.memory / ("memory.current" if place.unified else "memory.usage_in_bytes"))
    cache = _field(place.memory / "memory.stat", "inactive_file" if place.unified else "total_inactive_file")
    return None if used is None else max(0, used - (cache or 0))


def _pids(folder: Path) -> Iterator[int]:
    yield from (int(line) for line in (_text(folder / "cgroup.procs") or "").split())
    try:
        below = [entry for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return
    for entry in below:
        yield from _pids(entry)


def _interfaces(text: str) -> Iterator[int]:
    """Received and sent bytes of each line ``eth0: 1 2 3 …``."""
    for line in text.splitlines()[2:]:
        name, _, numbers = line.partition(":")
        fields = numbers.split()
        if name.strip() != "lo" and len(fields) > 8:
            yield int(fields[0]) + int(fields[8])


def _field(path: Path, name: str) -> int | None:
    for line in (_text(path) or "").splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return None


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text is not None and text.strip().isdecimal() else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return None
