"""The GPUs that can be simulated: memory, compute slices and MIG profiles of real models.

Sizes are the nominal ones people ask for (a 40 GB card has 40 GiB here). Profiles and their placements are what the
driver lists for these models (``nvidia-smi mig -lgip -lgipp``), so that a partition impossible on the real card is
impossible here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ds01.domain.mig import MigProfile
from ds01.domain.names import nearest

GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model. ``slices`` is 0 when it cannot be divided; ``nvlink`` links cards of one NUMA node."""

    name: str
    memory_gib: int
    watts: int
    slices: int = 0
    nvlink: bool = False
    profiles: Mapping[str, MigProfile] = field(default_factory=dict)


def _seven(*sizes: int) -> dict[str, MigProfile]:
    """The profiles of a card with 7 compute and 8 memory slices; sizes of 1g, wide 1g, 2g, 3g, 4g and 7g in GB."""
    shapes: tuple[tuple[int, int, tuple[int, ...]], ...] = (
        (1, 1, (0, 1, 2, 3, 4, 5, 6)), (1, 2, (0, 2, 4, 6)), (2, 2, (0, 2, 4)), (3, 4, (0, 4)), (4, 4, (0,)),
        (7, 8, (0,)),
    )  # fmt: skip
    return _profiles(shapes, sizes)


def _four(*sizes: int) -> dict[str, MigProfile]:
    """The profiles of a card with 4 compute and 4 memory slices; sizes of 1g, 2g and 4g in GB."""
    return _profiles(((1, 1, (0, 1, 2, 3)), (2, 2, (0, 2)), (4, 4, (0,))), sizes)


def _profiles(shapes: tuple[tuple[int, int, tuple[int, ...]], ...], sizes: tuple[int, ...]) -> dict[str, MigProfile]:
    return {
        f"{slices}g.{size}gb": MigProfile(
            name=f"{slices}g.{size}gb", slices=slices, width=width, starts=starts, memory_bytes=size * GIB
        )
        for (slices, width, starts), size in zip(shapes, sizes, strict=True)
    }


def _big(name: str, memory_gib: int, watts: int, *sizes: int) -> Model:
    return Model(name=name, memory_gib=memory_gib, watts=watts, slices=7, nvlink=True, profiles=_seven(*sizes))


MODELS: Mapping[str, Model] = {
    "a100-40gb": _big("NVIDIA A100-SXM4-40GB", 40, 400, 5, 10, 10, 20, 20, 40),
    "a100-80gb": _big("NVIDIA A100-SXM4-80GB", 80, 400, 10, 20, 20, 40, 40, 80),
    "h100-80gb": _big("NVIDIA H100 80GB HBM3", 80, 700, 10, 20, 20, 40, 40, 80),
    "h200-141gb": _big("NVIDIA H200", 141, 700, 18, 35, 35, 71, 71, 141),
    "b200-180gb": _big("NVIDIA B200", 180, 1000, 23, 45, 45, 90, 90, 180),
    "a30-24gb": Model(
        name="NVIDIA A30", memory_gib=24, watts=165, slices=4, nvlink=True, profiles=_four(6, 12, 24)
    ),
    "v100-16gb": Model(name="Tesla V100-SXM2-16GB", memory_gib=16, watts=300, nvlink=True),
    "v100-32gb": Model(name="Tesla V100-SXM2-32GB", memory_gib=32, watts=300, nvlink=True),
    "t4-16gb": Model(name="Tesla T4", memory_gib=16, watts=70),
    "l4-24gb": Model(name="NVIDIA L4", memory_gib=24, watts=72),
    "l40s-48gb": Model(name="NVIDIA L40S", memory_gib=48, watts=350),
    "a10-24gb": Model(name="NVIDIA A10", memory_gib=24, watts=150),
    "a40-48gb": Model(name="NVIDIA A40", memory_gib=48, watts=300),
    "a6000-48gb": Model(name="NVIDIA RTX A6000", memory_gib=48, watts=300),
    "rtx2080ti-11gb": Model(name="NVIDIA GeForce RTX 2080 Ti", memory_gib=11, watts=250),
    "rtx3090-24gb": Model(name="NVIDIA GeForce RTX 3090", memory_gib=24, watts=350),
    "rtx4090-24gb": Model(name="NVIDIA GeForce RTX 4090", memory_gib=24, watts=450),
    "rtx5090-32gb": Model(name="NVIDIA GeForce RTX 5090", memory_gib=32, watts=575),
}  # fmt: skip


def model(name: str) -> Model:
    """The model of this name. Raises ValueError that offers the nearest."""
    if name in MODELS:
        return MODELS[name]
    better = nearest(name, MODELS)
    meant = f"did you mean '{better}'?" if better else f"known are {', '.join(MODELS)}"
    raise ValueError(f"there is no GPU model '{name}'; {meant}")
