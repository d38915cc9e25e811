"""GPUs, as the driver shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ds01.domain.container import Attachment
from ds01.domain.gpu import Gpu, Slot, SlotId
from ds01.domain.mig import MigProfile


@dataclass(frozen=True, kw_only=True)
class GpuProcess:
    """A process that uses a slot. ``pid`` is the host's."""

    slot: SlotId
    pid: int
    memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class GpuSample:
    """One reading of a slot. None is unknown, which counts as busy; utilisation is 0 to 1."""

    slot: SlotId
    utilisation: float | None
    memory_used_bytes: int | None
    temperature_c: int | None = None


class Devices(Protocol):
    """The GPUs of this server. Errors are Ds01Error; a GPU that fell off is simply not in the inventory."""

    @property
    def simulated(self) -> bool:
        """Whether these GPUs are not real. Never silent: everything that shows GPUs says so."""
        ...

    def inventory(self) -> tuple[Gpu, ...]:
        """All GPUs now, with their MIG instances and topology."""
        ...

    def samples(self) -> tuple[GpuSample, ...]:
        """One reading per slot."""
        ...

    def energy(self) -> dict[SlotId, float]:
        """Joules each GPU's meter shows, by the GPU's UUID, divided or not; one without a meter is not in it."""
        ...

    def processes(self) -> tuple[GpuProcess, ...]:
        """All processes on all GPUs, as far as that can be said."""
        ...

    def users(self, gpu: SlotId) -> tuple[GpuProcess, ...] | None:
        """All processes on one GPU or its instances; None when that cannot be said, or the GPU is not there."""
        ...

    def faults(self) -> dict[SlotId, str]:
        """Slots nobody may be placed on, with the reason (Xid, ECC, heat)."""
        ...

    def attach(self, slots: Sequence[Slot]) -> Attachment:
        """How these slots get into a container: numbered from 0 inside, whatever the host calls them."""
        ...

    def offered(self, gpu: SlotId) -> tuple[MigProfile, ...]:
        """Into what this GPU can be divided; nothing when it cannot."""
        ...

    def divide(self, gpu: SlotId, profiles: Sequence[str] | None) -> None:
        """Divide a GPU that nobody uses anew, or with None make it whole. Raises Ds01Error (``gpu.divide``); the GPU
        may be left without instances then.
        """
        ...

    def close(self) -> None:
        """Let go of the driver."""
        ...
