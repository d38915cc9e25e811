"""GPUs and what can be leased of them.

A *slot* is a whole GPU or one MIG instance, known by UUID, never by index. A GPU in MIG mode offers its
instances only. The size of a slot is its *gpueq*: 1 for a whole GPU, compute slices / the GPU's slices for an
instance, exact because quotas are compared with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NewType

SlotId = NewType("SlotId", str)
"""A GPU or MIG UUID: ``GPU-…`` or ``MIG-…``."""

GIB = 1024**3
_SOLD = re.compile(r"\.(\d+)gb")

SMI = "/usr/bin/nvidia-smi"
"""Where a stand-in for NVIDIA's program is in a container: where NVIDIA's toolkit puts the real one, on every PATH."""

VISIBLE = "NVIDIA_VISIBLE_DEVICES"
"""The variable by which NVIDIA's runtime is asked for GPUs."""

NONE_VISIBLE = "void"
"""Its value for none: an image may say ``all``, and nothing else overrules that."""

VARIABLES = frozenset(
    {
        VISIBLE,
        "NVIDIA_IMEX_CHANNELS",
        "NVIDIA_GDS",
        "NVIDIA_MOFED",
        "NVIDIA_GDRCOPY",
        "NVIDIA_NVSWITCH",
        "NVIDIA_DISABLE_REQUIRE",
        "SWARM_RESOURCE_GPU",
    }
)
"""Variables runtimes read as a request for devices; only a lease may set them."""

VANISHED = "the driver does not show it any more"
"""Why nobody is placed on a slot that is known only because a lease still names it."""


@dataclass(frozen=True, kw_only=True)
class MigInstance:
    """One MIG instance. ``profile`` is NVIDIA's name (``2g.10gb``); ``slices`` are its compute slices."""

    uuid: SlotId
    profile: str
    slices: int
    memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU as the driver reports it now.

    ``index`` is the host's and is for display; ``slices`` is the number of compute slices MIG divides this GPU
    into (0 when it cannot). ``numa_node`` is -1 when unknown; ``links`` are UUIDs reached over NVLink.
    """

    uuid: SlotId
    index: int
    model: str
    memory_bytes: int
    minor: int
    pci_bus: str = ""
    slices: int = 0
    mig: bool = False
    instances: tuple[MigInstance, ...] = ()
    numa_node: int = -1
    links: frozenset[SlotId] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Slot:
    """What can be leased. ``gpu`` is the UUID of the GPU it is (part of)."""

    id: SlotId
    gpu: SlotId
    gpu_index: int
    model: str
    profile: str
    """The MIG profile, or ``"full"``."""
    memory_bytes: int
    gpueq: Fraction
    minor: int
    numa_node: int = -1
    links: frozenset[SlotId] = frozenset()

    def healthy(self, ill: Collection[SlotId]) -> bool:
        """Whether nothing is known against it or its GPU; ``ill`` are slots and GPUs out of service."""
        return self.id not in ill and self.gpu not in ill

    @property
    def whole(self) -> bool:
        """Whether this is a whole GPU."""
        return self.profile == "full"

    @cached_property
    def size(self) -> float:
        """Its GPU-equivalents, for sorting only: comparing fractions is slow, and these are never that close."""
        return float(self.gpueq)

    @cached_property
    def sold_bytes(self) -> int:
        """Its memory as it is sold, and asked for: a ``1g.5gb`` has 4.75 GiB, an 80 GB card 79.6."""
        named = _SOLD.search(self.profile)
        return int(named[1]) * GIB if named else -(-self.memory_bytes // GIB) * GIB

    @property
    def label(self) -> str:
        """How people see it: ``0`` for GPU 0, ``2:1g.5gb`` for an instance on GPU 2."""
        return str(self.gpu_index) if self.whole else f"{self.gpu_index}:{self.profile}"


def slots_of(gpu: Gpu) -> tuple[Slot, ...]:
    """The slots one GPU offers: itself, or its MIG instances when it is in MIG mode (possibly none)."""
    if not gpu.mig:
        return (
            Slot(
                id=gpu.uuid, gpu=gpu.uuid, gpu_index=gpu.index, model=gpu.model, profile="full",
                memory_bytes=gpu.memory_bytes, gpueq=Fraction(1), minor=gpu.minor,
                numa_node=gpu.numa_node, links=gpu.links,
            ),
        )  # fmt: skip
    return tuple(
        Slot(
            id=part.uuid, gpu=gpu.uuid, gpu_index=gpu.index, model=gpu.model, profile=part.profile,
            memory_bytes=part.memory_bytes, gpueq=Fraction(part.slices, gpu.slices), minor=gpu.minor,
            numa_node=gpu.numa_node,
        )
        for part in gpu.instances
    )  # fmt: skip


def asks_for_devices(variable: str) -> bool:
    """Whether a variable is one only a lease may set."""
    return variable in VARIABLES or variable.startswith("NVIDIA_MIG_")
