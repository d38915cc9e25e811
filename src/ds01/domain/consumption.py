"""What was consumed, by whom: hours of GPUs and processors, memory, and energy that sums to the meter.

A GPU has one energy meter. What it shows between two looks is divided among its slots by what they did: each draws in
the proportion of its part of the GPU, a little when it rests and all of it when it works. What falls on slots that
nobody has leased is idle energy, and what was drawn while nobody looked cannot be attributed; both have lines of their
own, so that all lines together are the meter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ds01.domain.gpu import Slot, SlotId
from ds01.domain.people import Uid

NOBODY = Uid(-1)
"""Whose the lines are that are no user's."""
IDLE, UNATTRIBUTED = "idle", "unattributed"
RESTING = 0.15
"""Of the power of a slot that works, what one draws that rests."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Whose, for what, on which day (UTC). ``name`` is the container's, or one of the two words for nobody's."""

    day: date
    uid: Uid
    epoch: int
    project: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Consumed:
    """How much. GPU time is in seconds of slots and in seconds of whole GPUs, memory in byte-seconds."""

    running_seconds: float = 0.0
    gpu_seconds: float = 0.0
    gpueq_seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_byte_seconds: float = 0.0
    joules: float = 0.0

    def __add__(self, other: Consumed) -> Consumed:
        return Consumed(
            running_seconds=self.running_seconds + other.running_seconds,
            gpu_seconds=self.gpu_seconds + other.gpu_seconds,
            gpueq_seconds=self.gpueq_seconds + other.gpueq_seconds,
            cpu_seconds=self.cpu_seconds + other.cpu_seconds,
            memory_byte_seconds=self.memory_byte_seconds + other.memory_byte_seconds,
            joules=self.joules + other.joules,
        )


def nobodys(day: date, name: str) -> Line:
    """The line of energy that is no user's."""
    return Line(day=day, uid=NOBODY, epoch=0, project="", name=name)


def shares(
    slots: Sequence[Slot], activity: Mapping[SlotId, float | None], leased: frozenset[SlotId]
) -> dict[SlotId, float]:
    """Which part of a GPU's energy each of its slots drew; together 1. A leased slot that cannot be measured worked."""
    weights = {slot.id: float(slot.gpueq) * _draw(activity.get(slot.id), slot.id in leased) for slot in slots}
    every = sum(weights.values())
    return {slot: weight / every for slot, weight in weights.items()} if every else {}


def _draw(utilisation: float | None, leased: bool) -> float:
    busy = utilisation if utilisation is not None else (1.0 if leased else 0.0)
    return RESTING + (1 - RESTING) * min(max(busy, 0.0), 1.0)
