"""The GPUs and MIG instances the driver shows now, in our words, with the handles to ask them more.

A GPU that does not tell its UUID, name and memory is not in the inventory: nobody could be placed on it. Sizes come
from NVML and not from a table, so a model that came out yesterday works.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pynvml

from ds01.adapters.nvml.driver import Driver
from ds01.domain.gpu import Gpu, MigInstance, SlotId

_MIB = 1024**2


@dataclass(frozen=True, kw_only=True)
class Card:
    """One GPU with its handle, and the handles of its instances in the order of ``gpu.instances``."""

    gpu: Gpu
    handle: Any
    parts: tuple[Any, ...] = ()


def cards(driver: Driver, sysfs: Path) -> tuple[Card, ...]:
    """All GPUs that answer."""
    if not driver.start():
        return ()
    count = driver.ask(pynvml.nvmlDeviceGetCount) or 0
    found = [card for index in range(count) if (card := _card(driver, index, sysfs)) is not None]
    return tuple(replace(card, gpu=replace(card.gpu, links=_links(driver, card, found))) for card in found)


def _card(driver: Driver, index: int, sysfs: Path) -> Card | None:
    handle = driver.ask(pynvml.nvmlDeviceGetHandleByIndex, index)
    if handle is None:
        return None
    uuid = driver.ask(pynvml.nvmlDeviceGetUUID, handle)
    name = driver.ask(pynvml.nvmlDeviceGetName, handle)
    memory = driver.ask(pynvml.nvmlDeviceGetMemoryInfo, handle)
    if uuid is None or name is None or memory is None:
        return None
    minor = driver.ask(pynvml.nvmlDeviceGetMinorNumber, handle)
    pci = driver.ask(pynvml.nvmlDeviceGetPciInfo, handle)
    bus = str(pci.busId) if pci is not None else ""
    mig = (driver.ask(pynvml.nvmlDeviceGetMigMode, handle) or (0, 0))[0] == 1
    slices = _slices(driver, handle)
    parts = tuple(_parts(driver, handle)) if mig and slices else ()
    return Card(
        gpu=Gpu(
            uuid=SlotId(uuid),
            index=index,
            model=name,
            memory_bytes=int(memory.total),
            minor=index if minor is None else minor,
            pci_bus=bus,
            slices=slices,
            mig=mig,
            instances=tuple(instance for instance, _ in parts),
            numa_node=_numa_node(bus, sysfs),
        ),
        handle=handle,
        parts=tuple(part for _, part in parts),
    )


def _parts(driver: Driver, handle: Any) -> Iterator[tuple[MigInstance, Any]]:
    for index in range(driver.ask(pynvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
        part = driver.ask(pynvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, index)
        instance = _instance(driver, part) if part is not None else None
        if instance is not None:
            yield instance, part


def _instance(driver: Driver, part: Any) -> MigInstance | None:
    """One MIG device. Its compute instance counts, not the GPU instance around it: two of them may share one."""
    uuid = driver.ask(pynvml.nvmlDeviceGetUUID, part)
    size = driver.ask(pynvml.nvmlDeviceGetAttributes, part)
    if uuid is None or size is None or not size.computeInstanceSliceCount:
        return None
    return MigInstance(
        uuid=SlotId(uuid),
        profile=_profile(str(driver.ask(pynvml.nvmlDeviceGetName, part) or ""), size),
        slices=int(size.computeInstanceSliceCount),
        memory_bytes=int(size.memorySizeMB) * _MIB,
    )


def _profile(name: str, size: Any) -> str:
    """``3g.20gb`` out of the device's name; drivers that do not put it there get it from the sizes."""
    said = re.search(r"MIG (\S+)", name)
    if said is not None:
        return said[1]
    whole, part = int(size.gpuInstanceSliceCount), int(size.computeInstanceSliceCount)
    shared = "" if part == whole else f"{part}c."
    return f"{shared}{whole}g.{round(int(size.memorySizeMB) / 1024)}gb"


def _slices(driver: Driver, handle: Any) -> int:
    """Into how many compute slices MIG divides this GPU: those of its largest profile; 0 when it has no MIG."""
    counts = [_profile_slices(driver, handle, number) for number in range(pynvml.NVML_GPU_INSTANCE_PROFILE_COUNT)]
    return max(counts, default=0)


def _profile_slices(driver: Driver, handle: Any, number: int) -> int:
    for version in (2, 1):
        info = driver.ask(pynvml.nvmlDeviceGetGpuInstanceProfileInfo, handle, number, version)
        if info is not None:
            return int(info.sliceCount)
    return 0


def _numa_node(bus: str, sysfs: Path) -> int:
    """From sysfs; NVML writes the PCI domain with 8 digits and sysfs with 4."""
    domain, _, rest = bus.partition(":")
    node = sysfs / "bus/pci/devices" / f"{domain[-4:]}:{rest}".lower() / "numa_node"
    return int(node.read_text()) if rest and node.exists() else -1


def _links(driver: Driver, card: Card, found: Sequence[Card]) -> frozenset[SlotId]:
    """GPUs reached over NVLink, direct or through a switch."""
    return frozenset(
        other.gpu.uuid
        for other in found
        if other is not card
        and driver.ask(pynvml.nvmlDeviceGetP2PStatus, card.handle, other.handle, pynvml.NVML_P2P_CAPS_INDEX_NVLINK)
        == pynvml.NVML_P2P_STATUS_OK
    )
