"""What the disk ledger has found out so far: it lives in memory and is found out again after a start."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from ds01.domain.build_cache import CacheRecord
from ds01.domain.disk import Layer, Use
from ds01.domain.image import ImageId
from ds01.ports.engine import DiskUse

SHOWN_SECONDS = 10.0
"""How old a figure that is only shown may be."""

KNOWN_SECONDS = 60.0
"""How long a version that was asked for is believed: finding it out starts programs."""


@dataclass(kw_only=True)
class Measured:
    """The layers of images, what the engine counted last, and the figures that were shown last, with their time."""

    layers: dict[ImageId, tuple[Layer, ...]] = field(default_factory=dict)
    use: DiskUse = field(default_factory=DiskUse)
    cache: tuple[CacheRecord, ...] = ()
    shown: tuple[float, Mapping[str, Use]] = (-SHOWN_SECONDS, {})
    learning: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(kw_only=True)
class Versions:
    """The versions of programs below DS01 that were found last, and when."""

    at: float = -KNOWN_SECONDS
    runc: str = ""
    toolkit: str = ""
