"""What ds01d measures, in Prometheus' text format: the server's state, and for admins who ask what each user has.

Every metric is declared here with its meaning; the reference page is made from the declarations, and a test compares
them with what is said, and the rules and dashboards of ``ds01.monitoring`` with both. Names of people are left out
unless an admin asks for them: whoever may read the server's graphs is not always one who may know who works at night.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ds01.domain.consumption import Consumed
from ds01.domain.container import ContainerState
from ds01.domain.gpu import SlotId
from ds01.domain.lease import LeaseState
from ds01.domain.people import Uid
from ds01.domain.quarantine import Keeper
from ds01.domain.queue.request import RequestState
from ds01.ports.devices import GpuSample
from ds01.ports.ledger import Books
from ds01.services.people import Names, names
from ds01.services.space import spaces
from ds01.services.world import World


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric. ``labels`` are the names of its labels; ``kind`` is gauge or counter; ``people``: it names them."""

    name: str
    kind: str
    meaning: str
    labels: tuple[str, ...] = ()
    people: bool = False


_ALL = (
    Metric(name="ds01_info", kind="gauge", meaning="1, with the version", labels=("version", "simulated")),
    Metric(name="ds01_containers", kind="gauge", meaning="containers by state", labels=("state",)),
    Metric(name="ds01_slots", kind="gauge", meaning="GPUs and MIG instances: free, leased or quarantined",
           labels=("state",)),
    Metric(name="ds01_leases", kind="gauge", meaning="open leases by state", labels=("state",)),
    Metric(name="ds01_leased_share", kind="gauge", meaning="share of the GPUs that is leased, 0 to 1"),
    Metric(name="ds01_queue_waiting", kind="gauge", meaning="requests that wait for GPUs"),
    Metric(name="ds01_queue_longest_wait_seconds", kind="gauge", meaning="how long the first of them has waited"),
    Metric(name="ds01_slots_out_of_service", kind="gauge",
           meaning="GPUs and MIG instances nobody is placed on, by who says so: `driver` a fault, `process` somebody"
           " works on it outside DS01", labels=("keeper",)),
    Metric(name="ds01_last_look_timestamp_seconds", kind="gauge",
           meaning="when ds01d last looked at what runs, in seconds since 1970; none before its first look"),
    Metric(name="ds01_limits_file_sound", kind="gauge", meaning="1 when the limits file is in force as it is, else 0"),
    Metric(name="ds01_gateway_in_force", kind="gauge", meaning="1 when the gateway refuses, 0 when it only watches"),
    Metric(name="ds01_disk_free_bytes", kind="gauge",
           meaning="what is free where the ledger is (`state`), where the engine keeps images and containers (`engine`)"
           ", and on /home (`home`)", labels=("place",)),
    Metric(name="ds01_disk_total_bytes", kind="gauge", meaning="how large that disk is", labels=("place",)),
    Metric(name="ds01_notices_open", kind="gauge", meaning="warnings that stand"),
    Metric(name="ds01_notices_undelivered", kind="gauge", meaning="warnings that stand and reached nobody yet"),
    Metric(name="ds01_slot_utilisation", kind="gauge", meaning="utilisation of a slot, 0 to 1; none when unknown",
           labels=("slot",)),
    Metric(name="ds01_slot_leased", kind="gauge", meaning="1 when somebody has leased it, else 0", labels=("slot",)),
    Metric(name="ds01_slot_memory_bytes", kind="gauge", meaning="GPU memory in use", labels=("slot",)),
    Metric(name="ds01_slot_temperature_celsius", kind="gauge", meaning="temperature of the GPU", labels=("slot",)),
    Metric(name="ds01_gpu_energy_joules_total", kind="counter", meaning="what the GPU's own meter shows",
           labels=("gpu",)),
    Metric(name="ds01_gpu_seconds_total", kind="counter", meaning="time of whole GPUs in use since ds01d started"),
    Metric(name="ds01_energy_joules_total", kind="counter",
           meaning="energy accounted for since ds01d started: used, idle or unattributed", labels=("what",)),
    Metric(name="ds01_events_total", kind="counter", meaning="events recorded"),
    Metric(name="ds01_user_containers", kind="gauge", meaning="running containers of a user", labels=("user",),
           people=True),
    Metric(name="ds01_user_gpus", kind="gauge", meaning="GPUs a user has leased, in whole GPUs", labels=("user",),
           people=True),
    Metric(name="ds01_user_waiting", kind="gauge", meaning="requests of a user that wait for GPUs", labels=("user",),
           people=True),
    Metric(name="ds01_user_gpu_seconds_total", kind="counter",
           meaning="time of whole GPUs a user had since ds01d started", labels=("user",), people=True),
    Metric(name="ds01_user_cpu_seconds_total", kind="counter",
           meaning="processor time a user's containers took since ds01d started", labels=("user",), people=True),
    Metric(name="ds01_user_energy_joules_total", kind="counter",
           meaning="energy of the GPUs a user had since ds01d started", labels=("user",), people=True),
)  # fmt: skip

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
"""Every metric there is."""

Value = tuple[Mapping[str, str], float]


async def exposition(world: World, *, people: bool = False) -> str:
    """All metrics now, as Prometheus reads them; with ``people`` those that name users, too."""
    samples, energy = await asyncio.to_thread(lambda: (world.devices.samples(), world.devices.energy()))
    last = await world.ledger.wait(0, 0)
    disks = await spaces(world)

    def read(books: Books) -> str:
        found = dict(_state(books, world, samples))
        labels = {slot.gpu: str(slot.gpu_index) for slot in books.slots()}
        found["ds01_gpu_energy_joules_total"] = [({"gpu": labels.get(gpu, gpu)}, j) for gpu, j in energy.items()]
        found["ds01_disk_free_bytes"] = [({"place": disk.place.value}, disk.free_bytes) for disk in disks]
        found["ds01_disk_total_bytes"] = [({"place": disk.place.value}, disk.total_bytes) for disk in disks]
        found["ds01_events_total"] = [({}, last)]
        if people:
            found |= _people(books, world, names(books))
        wanted = [metric for metric in _ALL if people or not metric.people]
        return "".join(_shown(metric, found.get(metric.name, ())) for metric in wanted)

    return await world.ledger.read(read)


def _state(books: Books, world: World, samples: Iterable[GpuSample]) -> Iterator[tuple[str, list[Value]]]:
    leases, slots, ill = books.open_leases(), books.slots(vanished=False), books.quarantined()
    taken = {slot for lease in leases for slot in lease.slots}
    states = Counter(
        "quarantined" if not slot.healthy(ill) else "leased" if slot.id in taken else "free" for slot in slots
    )
    containers = Counter(container.state for container in books.containers())
    standing = Counter(lease.state for lease in leases)
    warnings = [notice for notice in books.notices() if notice.warns]
    yield "ds01_info", [({"version": world.version, "simulated": str(world.devices.simulated).lower()}, 1)]
    live = (state for state in ContainerState if state is not ContainerState.REMOVED)
    yield "ds01_containers", [({"state": state.value}, containers[state]) for state in live]
    yield "ds01_slots", [({"state": state}, states[state]) for state in ("free", "leased", "quarantined")]
    yield "ds01_leases", [({"state": state.value}, standing[state]) for state in LeaseState if state.open]
    yield "ds01_leased_share", [({}, world.memory.busy)]
    yield from _queue(books, world)
    yield from _health(books, world)
    yield "ds01_notices_open", [({}, len(warnings))]
    yield "ds01_notices_undelivered", [({}, sum(1 for notice in warnings if notice.delivered_at is None))]
    known = {slot.id: slot.label for slot in slots}
    yield "ds01_slot_leased", [({"slot": label}, float(slot in taken)) for slot, label in known.items()]
    yield from _slots([sample for sample in samples if sample.slot in known], known)
    yield "ds01_gpu_seconds_total", [({}, world.memory.gpu_seconds)]
    yield "ds01_energy_joules_total", [({"what": what}, joules) for what, joules in sorted(world.memory.joules.items())]


def _queue(books: Books, world: World) -> Iterator[tuple[str, list[Value]]]:
    waiting = [each for each in books.open_requests() if each.state is RequestState.WAITING]
    since = min((each.submitted_at for each in waiting), default=world.clock.now())
    yield "ds01_queue_waiting", [({}, len(waiting))]
    yield "ds01_queue_longest_wait_seconds", [({}, max(0.0, (world.clock.now() - since).total_seconds()))]


def _health(books: Books, world: World) -> Iterator[tuple[str, list[Value]]]:
    keepers = Counter(each.keeper for each in books.quarantines())
    looked = world.memory.looked_at
    yield "ds01_slots_out_of_service", [({"keeper": keeper.value}, keepers[keeper]) for keeper in Keeper]
    yield "ds01_last_look_timestamp_seconds", [] if looked is None else [({}, looked.timestamp())]
    yield "ds01_limits_file_sound", [({}, float(not world.policy.problem))]
    yield "ds01_gateway_in_force", [({}, float(not world.settings().docker.observing(world.clock.now())))]


def _people(books: Books, world: World, called: Names) -> dict[str, list[Value]]:
    """Of everybody who has something, waits, or had something since ds01d started."""
    running = Counter(c.uid for c in books.containers() if c.state is ContainerState.RUNNING)
    waiting = Counter(each.uid for each in books.open_requests() if each.state is RequestState.WAITING)
    leased: dict[Uid, float] = defaultdict(float)
    for lease in books.open_leases():
        leased[lease.uid] += float(lease.gpueq)
    had = world.memory.people
    everybody = sorted({*running, *waiting, *leased, *had})
    nothing = Consumed()

    def each(value: Callable[[Uid], float]) -> list[Value]:
        return [({"user": called(uid)}, value(uid)) for uid in everybody]

    return {
        "ds01_user_containers": each(lambda uid: running[uid]),
        "ds01_user_gpus": each(lambda uid: leased[uid]),
        "ds01_user_waiting": each(lambda uid: waiting[uid]),
        "ds01_user_gpu_seconds_total": each(lambda uid: had.get(uid, nothing).gpueq_seconds),
        "ds01_user_cpu_seconds_total": each(lambda uid: had.get(uid, nothing).cpu_seconds),
        "ds01_user_energy_joules_total": each(lambda uid: had.get(uid, nothing).joules),
    }


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
        lines.append(f"{metric.name}{{{inside}}} {_number(value)}" if inside else f"{metric.name} {_number(value)}")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    """All its digits: a counter of joules or a time would lose its last ones in a short form."""
    return f"{value:.0f}" if float(value).is_integer() else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
