"""The disks that DS01 lives on: where the ledger is, where the engine keeps images and containers, and where people's
files are. Two places on one file system count once each: each has its own remedy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ds01.domain.errors import Ds01Error
from ds01.services.world import World

GIB = 1024**3
LEAST = GIB
"""With less than this free nothing can be promised any more."""
LOW_SHARE = 0.05


class Place(StrEnum):
    """What a disk is for."""

    STATE = "state"
    ENGINE = "engine"
    HOME = "home"


@dataclass(frozen=True, kw_only=True)
class Space:
    """One place and how much of its file system is free."""

    place: Place
    path: str
    free_bytes: int
    total_bytes: int

    @property
    def full(self) -> bool:
        """Whether so little is free that work fails."""
        return self.free_bytes < LEAST

    @property
    def low(self) -> bool:
        """Whether it is time to do something."""
        return self.full or self.free_bytes < self.total_bytes * LOW_SHARE


async def spaces(world: World) -> tuple[Space, ...]:
    """Every place that is there. An engine that does not answer leaves its own out."""
    paths = {Place.STATE: str(world.paths.state), Place.ENGINE: await _data_root(world), Place.HOME: "/home"}
    found = []
    for place, path in paths.items():
        disk = await world.facts.disk(path) if path else None
        if disk is not None:
            found.append(Space(place=place, path=path, free_bytes=disk.free_bytes, total_bytes=disk.total_bytes))
    return tuple(found)


async def _data_root(world: World) -> str:
    try:
        return await world.engine.data_root()
    except Ds01Error:
        return ""
