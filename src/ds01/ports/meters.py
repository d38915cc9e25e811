"""What containers use, read from the kernel: cheap enough to look at all of them every few seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ds01.domain.container import ContainerId
from ds01.domain.people import Uid


@dataclass(frozen=True, kw_only=True)
class Meter:
    """The counters of one container now. None is unknown; CPU and network count from its start."""

    cpu_seconds: float | None = None
    memory_bytes: int | None = None
    memory_peak_bytes: int | None = None
    network_bytes: int | None = None


class Meters(Protocol):
    """Reads counters. Never an error: what cannot be read is unknown. Quick, but made for a thread."""

    def read(self, containers: Iterable[tuple[ContainerId, Uid]]) -> Mapping[ContainerId, Meter]:
        """The counters of these running containers; of one that is gone, or cannot be found, all are unknown."""
        ...

    def pids(self, container: ContainerId, uid: Uid) -> tuple[int, ...]:
        """The processes in a container, by the host's numbers, oldest number first; none when it is gone."""
        ...
