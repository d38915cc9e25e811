"""One look at everything that runs: counters of all containers, readings of all slots, made into what each one did.

A counter that goes backwards began anew; what it did between is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ds01.domain.container import Container, ContainerId
from ds01.domain.gpu import SlotId
from ds01.domain.lease import Lease
from ds01.domain.lifecycle.activity import Reading
from ds01.ports.devices import GpuSample
from ds01.ports.meters import Meter
from ds01.services.enforce.memory import Watched
from ds01.services.world import World

NOTHING = Meter()


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the kernel and the driver said at one moment."""

    meters: Mapping[ContainerId, Meter]
    slots: Mapping[SlotId, GpuSample]
    energy: Mapping[SlotId, float]


def look(world: World, running: Iterable[Container]) -> Seen:
    """Ask both. Runs in a thread."""
    return Seen(
        meters=world.meters.read([(container.id, container.uid) for container in running]),
        slots={sample.slot: sample for sample in world.devices.samples()},
        energy=world.devices.energy(),
    )


def note(watched: Watched, seen: Seen, container: ContainerId, lease: Lease | None, cpus: float, now: float) -> None:
    """Write down what this container did since the last look, the first of which says nothing."""
    meter = seen.meters.get(container) or NOTHING
    if watched.read_at is not None and now > watched.read_at:
        slots = [seen.slots.get(slot) for slot in lease.slots] if lease is not None else []
        watched.history.append(_reading(watched.meter, meter, slots, cpus, now - watched.read_at))
    watched.meter, watched.read_at, watched.cpus = meter, now, cpus


def _reading(before: Meter, after: Meter, slots: Sequence[GpuSample | None], cpus: float, seconds: float) -> Reading:
    cpu = _grown(before.cpu_seconds, after.cpu_seconds)
    network = _grown(before.network_bytes, after.network_bytes)
    return Reading(
        seconds=seconds,
        gpu=_busiest(slots),
        cpu=None if cpu is None else cpu / seconds / cpus,
        network_bytes=None if network is None else int(network),
        gpu_memory_bytes=sum(slot.memory_used_bytes or 0 for slot in slots if slot is not None),
        memory_bytes=after.memory_bytes or 0,
    )


def _grown(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None or after < before else after - before


def _busiest(slots: Sequence[GpuSample | None]) -> float | None:
    """The highest of them; unknown when any is."""
    known = [None if slot is None else slot.utilisation for slot in slots]
    return None if None in known else max((value for value in known if value is not None), default=0.0)
