"""Utilisation, memory, heat, energy and processes of every slot.

What the driver cannot tell stays None: the rules count that as busy. Only whole GPUs have a thermometer and a meter.
"""

from __future__ import annotations

from typing import Any

import pynvml

from ds01.adapters.nvml.driver import Driver
from ds01.adapters.nvml.inventory import Card
from ds01.domain.gpu import SlotId
from ds01.ports.devices import GpuProcess, GpuSample


def handles(card: Card) -> tuple[tuple[SlotId, Any], ...]:
    """The slots of a card with the handles to ask."""
    if not card.gpu.mig:
        return ((card.gpu.uuid, card.handle),)
    return tuple((instance.uuid, part) for instance, part in zip(card.gpu.instances, card.parts, strict=True))


def samples(driver: Driver, card: Card) -> tuple[GpuSample, ...]:
    """One reading per slot of this card."""
    temperature = driver.ask(pynvml.nvmlDeviceGetTemperature, card.handle, pynvml.NVML_TEMPERATURE_GPU)
    return tuple(_sample(driver, slot, handle, temperature) for slot, handle in handles(card))


def joules(driver: Driver, card: Card) -> float | None:
    """What the card's meter shows; None when it has none."""
    millijoules = driver.ask(pynvml.nvmlDeviceGetTotalEnergyConsumption, card.handle)
    return None if millijoules is None else millijoules / 1000


def processes(driver: Driver, card: Card) -> dict[SlotId, tuple[GpuProcess, ...] | None]:
    """All processes of this card by slot, each once however many contexts it has; None when the driver cannot say."""
    return {slot: _processes(driver, slot, handle) for slot, handle in handles(card)}


def _processes(driver: Driver, slot: SlotId, handle: Any) -> tuple[GpuProcess, ...] | None:
    """An instance that cannot draw answers no question about drawing; every slot computes."""
    computing = driver.ask(pynvml.nvmlDeviceGetComputeRunningProcesses, handle)
    drawing = driver.ask_many(pynvml.nvmlDeviceGetGraphicsRunningProcesses, handle)
    if computing is None or drawing is None:
        return None
    found: dict[int, int] = {}
    for process in (*computing, *drawing):
        found[process.pid] = max(found.get(process.pid, 0), process.usedGpuMemory or 0)
    return tuple(GpuProcess(slot=slot, pid=pid, memory_bytes=memory) for pid, memory in found.items())


def _sample(driver: Driver, slot: SlotId, handle: Any, temperature: int | None) -> GpuSample:
    rates = driver.ask(pynvml.nvmlDeviceGetUtilizationRates, handle)
    memory = driver.ask(pynvml.nvmlDeviceGetMemoryInfo, handle)
    return GpuSample(
        slot=slot,
        utilisation=None if rates is None else rates.gpu / 100,
        memory_used_bytes=None if memory is None else int(memory.used),
        temperature_c=temperature,
    )
