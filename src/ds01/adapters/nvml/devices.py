"""The devices port over NVML."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from ds01.adapters.nvml import mig, readings
from ds01.adapters.nvml.activity import Activity
from ds01.adapters.nvml.attach import Attach, nvidia
from ds01.adapters.nvml.counters import Counters
from ds01.adapters.nvml.driver import Driver
from ds01.adapters.nvml.health import Health
from ds01.adapters.nvml.inventory import Card, cards
from ds01.domain.container import Attachment
from ds01.domain.errors import GPU_DIVIDE, Ds01Error
from ds01.domain.gpu import Gpu, Slot, SlotId, slots_of
from ds01.domain.mig import MigProfile
from ds01.ports.devices import GpuProcess, GpuSample


class NvmlDevices:
    """The real GPUs of this server; none when there is no driver, until there is one."""

    def __init__(self, *, attach: Attach = nvidia, sysfs: Path = Path("/sys")) -> None:
        self._driver = Driver()
        self._health = Health(self._driver)
        self._attach = attach
        self._sysfs = sysfs
        self._counters = Counters(self._driver)
        self._activity = Activity()
        self._seen: dict[SlotId, Gpu] = {}

    @property
    def simulated(self) -> bool:
        """These are not."""
        return False

    @property
    def problem(self) -> str:
        """Why NVML finds none; ``""`` while it works."""
        return self._driver.problem

    def inventory(self) -> tuple[Gpu, ...]:
        """All GPUs that answer now."""
        return tuple(card.gpu for card in self._cards())

    def samples(self) -> tuple[GpuSample, ...]:
        """One reading per slot."""
        cards = self._cards()
        found = tuple(sample for card in cards for sample in readings.samples(self._driver, card))
        parts = {instance.uuid for card in cards if card.gpu.mig for instance in card.gpu.instances}
        silent = {sample.slot for sample in found if sample.utilisation is None and sample.slot in parts}
        if not silent:
            return found
        told: dict[SlotId, float | None] = {**self._counters.utilisation(cards, silent)}
        told |= self._by_processes(cards, silent - told.keys())
        return tuple(replace(sample, utilisation=told.get(sample.slot, sample.utilisation)) for sample in found)

    def _by_processes(self, cards: Sequence[Card], silent: Collection[SlotId]) -> dict[SlotId, float | None]:
        """Instances that nothing counts are judged by their processes, as far as that goes."""
        asked = [card for card in cards if any(each.uuid in silent for each in card.gpu.instances)]
        known = {slot: each for card in asked for slot, each in readings.processes(self._driver, card).items()}
        return self._activity.utilisation({slot: _pids(known.get(slot)) for slot in silent}) if silent else {}

    def energy(self) -> dict[SlotId, float]:
        """The driver's own meters."""
        found = {card.gpu.uuid: readings.joules(self._driver, card) for card in self._cards()}
        return {gpu: joules for gpu, joules in found.items() if joules is not None}

    def processes(self) -> tuple[GpuProcess, ...]:
        """All processes on all GPUs, as far as the driver can say."""
        by_slot = (readings.processes(self._driver, card) for card in self._cards())
        return tuple(process for slots in by_slot for found in slots.values() for process in found or ())

    def users(self, gpu: SlotId) -> tuple[GpuProcess, ...] | None:
        """Every slot of the card is asked; one that does not answer leaves the whole card unknown."""
        card = next((card for card in self._cards() if card.gpu.uuid == gpu), None)
        found = [None] if card is None else list(readings.processes(self._driver, card).values())
        known = [each for each in found if each is not None]
        return tuple(process for each in known for process in each) if len(known) == len(found) else None

    def faults(self) -> dict[SlotId, str]:
        """Broken GPUs by slot, and the slots of those that were here and are not any more."""
        present = self._cards()
        reasons = self._health.faults(present)
        here = {card.gpu.uuid for card in present}
        gone = {uuid: f"GPU {gpu.index} fell off the bus" for uuid, gpu in self._seen.items() if uuid not in here}
        return {slot.id: reason for uuid, reason in (reasons | gone).items() for slot in slots_of(self._seen[uuid])}

    def attach(self, slots: Sequence[Slot]) -> Attachment:
        """By UUID, in the way chosen for this engine."""
        return self._attach(slots)

    def offered(self, gpu: SlotId) -> tuple[MigProfile, ...]:
        """As the driver lists them for this very card."""
        return next((mig.offered(self._driver, card) for card in self._cards() if card.gpu.uuid == gpu), ())

    def divide(self, gpu: SlotId, profiles: Sequence[str] | None) -> None:
        """By the driver."""
        found = next((card for card in self._cards() if card.gpu.uuid == gpu), None)
        if found is None:
            raise Ds01Error(GPU_DIVIDE, "The GPU is not there any more.", hint="ds01 gpus")
        mig.divide(self._driver, found, profiles)

    def close(self) -> None:
        """Let go of the driver."""
        self._health.close()
        self._counters.close()
        self._driver.stop()

    def _cards(self) -> tuple[Card, ...]:
        present = cards(self._driver, self._sysfs)
        self._seen.update({card.gpu.uuid: card.gpu for card in present})
        return present


def _pids(processes: Sequence[GpuProcess] | None) -> tuple[int, ...] | None:
    return None if processes is None else tuple(process.pid for process in processes)
