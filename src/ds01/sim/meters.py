"""Simulated containers' counters: what a test says they use, running with the clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ds01.domain.container import ContainerId
from ds01.domain.people import Uid
from ds01.ports.clock import Clock
from ds01.ports.meters import Meter


@dataclass(frozen=True, kw_only=True)
class Use:
    """What a container uses from now on. None is a counter that cannot be read."""

    cpus: float | None = 0.0
    network_bytes_per_second: float | None = 0.0
    memory_bytes: int | None = 0
    memory_peak_bytes: int | None = 0


_IDLE = Use()


@dataclass
class SimMeters:
    """Counters by container; one that nothing was said about does nothing."""

    clock: Clock
    uses: dict[ContainerId, Use] = field(default_factory=dict)
    processes: dict[ContainerId, tuple[int, ...]] = field(default_factory=dict)
    gone: set[ContainerId] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._counted: dict[ContainerId, tuple[float, float, float]] = {}

    def use(self, container: ContainerId, use: Use) -> None:
        """From now on it uses this."""
        self._count(container)
        self.uses[container] = use

    def read(self, containers: Iterable[tuple[ContainerId, Uid]]) -> Mapping[ContainerId, Meter]:
        """Their counters now."""
        return {container: self._meter(container) for container, _ in containers}

    def pids(self, container: ContainerId, uid: Uid) -> tuple[int, ...]:
        """What a test put there."""
        return self.processes.get(container, ())

    def _meter(self, container: ContainerId) -> Meter:
        if container in self.gone:
            return Meter()
        _, cpu, network = self._count(container)
        use = self.uses.get(container, _IDLE)
        return Meter(
            cpu_seconds=None if use.cpus is None else cpu,
            network_bytes=None if use.network_bytes_per_second is None else int(network),
            memory_bytes=use.memory_bytes,
            memory_peak_bytes=use.memory_peak_bytes,
        )

    def _count(self, container: ContainerId) -> tuple[float, float, float]:
        now, use = self.clock.monotonic(), self.uses.get(container, _IDLE)
        since, cpu, network = self._counted.get(container, (now, 0.0, 0.0))
        seconds = now - since
        counted = (now, cpu + (use.cpus or 0) * seconds, network + (use.network_bytes_per_second or 0) * seconds)
        self._counted[container] = counted
        return counted
