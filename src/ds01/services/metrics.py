"""What ds01d measures, in Prometheus' text format: the server's state, no names of people.

Every metric is declared here with its meaning; the reference page is made from the declarations, and a test compares
them with what is said.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ds01.domain.container import ContainerState
from ds01.domain.gpu import SlotId
from ds01.domain.lease import LeaseState
from ds01.ports.devices import GpuSample
from ds01.ports.ledger import Books
from ds01.services.world import World


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric. ``labels`` are the names of its labels; ``kind`` is gauge or counter."""

    name: str
    kind: str
    meaning: str
    labels: tuple[str, ...] = ()


_ALL = (
    Metric(name="ds01_info", kind="gauge", meaning="1, with the version", labels=("version", "simulated")),
    Metric(name="ds01_containers", kind="gauge", meaning="containers by state", labels=("state",)),
    Metric(name="ds01_slots", kind="gauge", meaning="GPUs and MIG instances: free, leased or quarantined",
           labels=("state",)),
    Metric(name="ds01_leases", kind="gauge", meaning="open leases by state", labels=("state",)),
    Metric(name="ds01_leased_share", kind="gauge", meaning="share of the GPUs that is leased, 0 to 1"),
    Metric(name="ds01_queue_waiting", kind="gauge", meaning="requests that wait for GPUs"),
    Metric(name="ds01_notices_open", kind="gauge", meaning="warnings that stand"),
    Metric(name="ds01_notices_undelivered", kind="gauge", meaning="warnings that stand and reached nobody yet"),
    Metric(name="ds01_slot_utilisation", kind="gauge", meaning="utilisation of a slot, 0 to 1; none when unknown",
           labels=("slot",)),
    Metric(name="ds01_slot_memory_bytes", kind="gauge", meaning="GPU memory in use", labels=("slot",)),
    Metric(name="ds01_slot_temperature_celsius", kind="gauge", meaning="temperature of the GPU", labels=("slot",)),
    Metric(name="ds01_gpu_energy_joules_total", kind="counter", meaning="what the GPU's own meter shows",
           labels=("gpu",)),
    Metric(name="ds01_gpu_seconds_total", kind="counter", meaning="time of whole GPUs in use since ds01d started"),
    Metric(name="ds01_energy_joules_total", kind="counter",
           meaning="energy accounted for since ds01d started: used, idle or unattributed", labels=("what",)),
    Metric(name="ds01_events_total", kind="counter", meaning="events recorded"),
)  # fmt: skip

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
"""Every metric there is."""

Value = tuple[Mapping[str, str], float]


async def exposition(world: World) -> str:
    """All metrics now, as Prometheus reads them."""
    samples, energy = await asyncio.to_thread(lambda: (world.devices.samples(), world.devices.energy()))
    last = await world.ledger.wait(0, 0)

    def read(books: Books) -> str:
        found = dict(_state(books, world, samples))
        labels = {slot.gpu: str(slot.gpu_index) for slot in books.slots()}
        found["ds01_gpu_energy_joules_total"] = [({"gpu": labels.get(gpu, gpu)}, j) for gpu, j in energy.items()]
        found["ds01_events_total"] = [({}, last)]
        return "".join(_shown(metric, found.get(name, ())) for name, metric in METRICS.items())

    return await world.ledger.read(read)


def _state(books: Books, world: World, samples: Iterable[GpuSample]) -> Iterator[tuple[str, list[Value]]]:
    leases, slots, ill = books.open_leases(), books.slots(vanished=False), books.quarantined()
    taken = {slot for lease in leases for slot in lease.slots}
    states = Counter(
        "quarantined" if slot.id in ill or slot.gpu in ill else "leased" if slot.id in taken else "free"
        for slot in slots
    )
    containers = Counter(container.state for container in books.containers())
    standing, notices = Counter(lease.state for lease in leases), books.notices()
    yield "ds01_info", [({"version": world.version, "simulated": str(world.devices.simulated).lower()}, 1)]
    live = (state for state in ContainerState if state is not ContainerState.REMOVED)
    yield "ds01_containers", [({"state": state.value}, containers[state]) for state in live]
    yield "ds01_slots", [({"state": state}, states[state]) for state in ("free", "leased", "quarantined")]
    yield "ds01_leases", [({"state": state.value}, standing[state]) for state in LeaseState if state.open]
    yield "ds01_leased_share", [({}, world.memory.busy)]
    yield "ds01_queue_waiting", [({}, len(books.open_requests()))]
    yield "ds01_notices_open", [({}, len(notices))]
    yield "ds01_notices_undelivered", [({}, sum(1 for notice in notices if notice.delivered_at is None))]
    known = {slot.id: slot.label for slot in slots}
    yield from _slots([sample for sample in samples if sample.slot in known], known)
    yield "ds01_gpu_seconds_total", [({}, world.memory.gpu_seconds)]
    yield "ds01_energy_joules_total", [({"what": what}, joules) for what, joules in sorted(world.memory.joules.items())]


def _slots(samples: list[GpuSample], labels: Mapping[SlotId, str]) -> Iterator[tuple[str, list[Value]]]:
    for name, field in (
        ("ds01_slot_utilisation", "utilisation"), ("ds01_slot_memory_bytes", "memory_used_bytes"),
        ("ds01_slot_temperature_celsius", "temperature_c"),
    ):  # fmt: skip
        values = [(labels[sample.slot], getattr(sample, field)) for sample in samples]
        yield name, [({"slot": label}, value) for label, value in values if value is not None]


def _shown(metric: Metric, values: Iterable[Value]) -> str:
    lines = [f"# HELP {metric.name} {metric.meaning}", f"# TYPE {metric.name} {metric.kind}"]
    for labels, value in values:
        inside = ",".join(f'{name}="{_escaped(labels[name])}"' for name in metric.labels)
        lines.append(f"{metric.name}{{{inside}}} {value:g}" if inside else f"{metric.name} {value:g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
