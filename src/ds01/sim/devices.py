"""Simulated GPUs: the ``devices`` port without a GPU, for anyone who tries DS01 and for most of its tests.

They are leased, attached, metered and broken like real ones; nothing computes on them, and everything that shows
them says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ds01.domain.container import Attachment
from ds01.domain.errors import BAD_LIMITS_FILE, GPU_DIVIDE, Ds01Error
from ds01.domain.gpu import Gpu, Slot, SlotId, slots_of
from ds01.domain.mig import MigProfile
from ds01.ports.clock import Clock
from ds01.ports.devices import GpuProcess, GpuSample
from ds01.sim import catalogue, partition
from ds01.sim.nodes import Nodes
from ds01.sim.script import Load, Script

SCRIPT = "simulated-gpus.json"
"""Name of the script file in the run folder."""

_IDLE_SHARE = 0.15
"""Of its full power, what an idle card draws."""


class SimDevices:
    """The GPUs of ``lines`` (``gpus.simulated``). ``run`` is where nodes and the nvidia-smi stand-in are staged."""

    def __init__(self, lines: Sequence[str], *, run: Path, clock: Clock) -> None:
        self._lines = tuple(lines)
        self._gpus = _read(self._lines)
        self._clock = clock
        self._metered_at = clock.monotonic()
        self._joules: dict[SlotId, float] = {}
        self._nodes = Nodes(run)
        self.script = Script(path=run / SCRIPT)
        self._nodes.stage(self._slots(self._gpus))

    @property
    def simulated(self) -> bool:
        """These are."""
        return True

    def inventory(self) -> tuple[Gpu, ...]:
        """All GPUs that have not fallen off."""
        gone = self.script.gone()
        present = tuple(gpu for gpu in self._gpus if gpu.index not in gone)
        return tuple(replace(gpu, links=_links(gpu, present)) for gpu in present)

    def samples(self) -> tuple[GpuSample, ...]:
        """One reading per slot; the meters run with the clock."""
        present = self.inventory()
        self._meter(present)
        return tuple(self._sample(slot) for gpu in present for slot in slots_of(gpu))

    def energy(self) -> dict[SlotId, float]:
        """The meters, which run with the clock."""
        present = self.inventory()
        self._meter(present)
        return {gpu.uuid: self._joules.get(gpu.uuid, 0.0) for gpu in present}

    def processes(self) -> tuple[GpuProcess, ...]:
        """The processes a script put there."""
        return tuple(
            GpuProcess(slot=slot.id, pid=pid, memory_bytes=memory)
            for slot in self._slots(self.inventory())
            for pid, memory in self.script.load(slot).processes or ()
        )

    def users(self, gpu: SlotId) -> tuple[GpuProcess, ...] | None:
        """The same of one GPU, unless a script says that nobody can tell."""
        slots = [slot for slot in self._slots(self.inventory()) if slot.gpu == gpu]
        if gpu not in {each.uuid for each in self.inventory()} or self._silent(slots):
            return None
        return tuple(each for each in self.processes() if each.slot in {slot.id for slot in slots})

    def _silent(self, slots: Sequence[Slot]) -> bool:
        return any(self.script.load(slot).processes is None for slot in slots)

    def faults(self) -> dict[SlotId, str]:
        """Slots a script broke, and those of GPUs that fell off."""
        gone = self.script.gone()
        broken = {slot.id: load.fault for slot, load in self._loads(self._gpus) if load.fault}
        lost = {
            slot.id: f"GPU {gpu.index} fell off the bus"
            for gpu in self._gpus
            if gpu.index in gone
            for slot in slots_of(gpu)
        }
        return broken | lost

    def attach(self, slots: Sequence[Slot]) -> Attachment:
        """Character nodes that go nowhere, the environment of the lease, and a stand-in for nvidia-smi."""
        return self._nodes.attach(slots)

    def offered(self, gpu: SlotId) -> tuple[MigProfile, ...]:
        """The profiles of its model."""
        if gpu not in {each.uuid for each in self._gpus}:
            return ()
        return tuple(catalogue.model(self._name(self._index(gpu))).profiles.values())

    def divide(self, gpu: SlotId, profiles: Sequence[str] | None) -> None:
        """Divided until ds01d ends: simulated cards forget it then, as real ones do when the machine starts."""
        index = self._index(gpu)
        name = self._name(index)
        line = name if profiles is None else f"{name}: {' '.join(profiles)}"
        try:
            partition.gpu(line, index)
        except ValueError as error:
            raise Ds01Error(
                GPU_DIVIDE, f"GPU {index} was not divided.", reason=f"{error}.", hint="ds01 admin mig show"
            ) from error
        self.repartition(index, line)

    def close(self) -> None:
        """Nothing to let go of."""

    # What tests say ----------------------------------------------------------------------------------

    def set_load(self, slot: str, load: Load) -> None:
        """From now on this slot (id or label) shows ``load``."""
        self.script.loads[slot] = load

    def break_slot(self, slot: str, reason: str) -> None:
        """Take a slot out of order with a reason, as an Xid or ECC error does."""
        self.script.loads[slot] = replace(self.script.loads.get(slot, Load()), fault=reason)

    def mend(self, slot: str) -> None:
        """Undo ``break_slot``."""
        self.script.loads[slot] = replace(self.script.loads.get(slot, Load()), fault="")

    def lose(self, index: int) -> None:
        """The GPU falls off the bus."""
        self.script.lost.add(index)

    def find(self, index: int) -> None:
        """The GPU is back."""
        self.script.lost.discard(index)

    def repartition(self, index: int, line: str) -> None:
        """Divide a GPU anew, as an admin does with nvidia-smi; same syntax as the limits file."""
        changed = list(self._lines)
        changed[index] = line
        self._gpus = _read(changed)
        self._lines = tuple(changed)
        self._nodes.stage(self._slots(self._gpus))

    # -------------------------------------------------------------------------------------------------

    def _index(self, gpu: SlotId) -> int:
        return next(each.index for each in self._gpus if each.uuid == gpu)

    def _name(self, index: int) -> str:
        return self._lines[index].partition(":")[0].strip().lower()

    def _slots(self, gpus: Sequence[Gpu]) -> tuple[Slot, ...]:
        return tuple(slot for gpu in gpus for slot in slots_of(gpu))

    def _loads(self, gpus: Sequence[Gpu]) -> list[tuple[Slot, Load]]:
        return [(slot, self.script.load(slot)) for slot in self._slots(gpus)]

    def _sample(self, slot: Slot) -> GpuSample:
        load = self.script.load(slot)
        return GpuSample(
            slot=slot.id,
            utilisation=load.utilisation,
            memory_used_bytes=load.memory_used_bytes,
            temperature_c=load.temperature_c,
        )

    def _meter(self, gpus: Sequence[Gpu]) -> None:
        now = self._clock.monotonic()
        for gpu in gpus:
            self._joules[gpu.uuid] = self._joules.get(gpu.uuid, 0.0) + self._watts(gpu) * (now - self._metered_at)
        self._metered_at = now

    def _watts(self, gpu: Gpu) -> float:
        full = next(model.watts for model in catalogue.MODELS.values() if model.name == gpu.model)
        busy = sum((Fraction(load.utilisation or 0.0) * slot.gpueq for slot, load in self._loads([gpu])), Fraction(0))
        return full * (_IDLE_SHARE + (1 - _IDLE_SHARE) * min(float(busy), 1.0))


def _read(lines: Sequence[str]) -> tuple[Gpu, ...]:
    try:
        gpus = [partition.gpu(line, index) for index, line in enumerate(lines)]
    except ValueError as error:
        raise Ds01Error(
            BAD_LIMITS_FILE, "The simulated GPUs cannot be made.", reason=f"{error}.", hint="Mend gpus.simulated."
        ) from error
    half = (len(gpus) + 1) // 2
    return tuple(replace(gpu, numa_node=0 if gpu.index < half else 1) for gpu in gpus)


def _links(gpu: Gpu, present: Sequence[Gpu]) -> frozenset[SlotId]:
    """Cards with NVLink reach those of their own model on the same NUMA node."""
    if not any(model.nvlink for model in catalogue.MODELS.values() if model.name == gpu.model):
        return frozenset()
    return frozenset(
        other.uuid
        for other in present
        if other.uuid != gpu.uuid and other.model == gpu.model and other.numa_node == gpu.numa_node
    )
