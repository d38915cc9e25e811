"""Placement: which slots a request gets, as one pure function with reasons.

You never choose a GPU index; you get the least harmful free one: the smallest slot that fits, whole GPUs kept
whole (instances packed onto the fullest GPU), several GPUs on the same NVLink or NUMA neighbourhood, and of
equals the one used least recently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from ds01.domain.gpu import GpuAsk, Slot, SlotId


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The slots of the server and what keeps each from being granted.

    ``taken`` are leased slots, ``quarantined`` maps a slot to the reason nobody is placed on it, ``last_used``
    is when a slot's last lease ended.
    """

    slots: tuple[Slot, ...]
    taken: frozenset[SlotId] = frozenset()
    quarantined: Mapping[SlotId, str] = field(default_factory=dict)
    last_used: Mapping[SlotId, datetime] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """The slots to lease, and why these."""

    slots: tuple[Slot, ...]
    reason: str

    @property
    def gpueq(self) -> Fraction:
        """What the placement counts against a quota."""
        return sum((slot.gpueq for slot in self.slots), Fraction(0))


@dataclass(frozen=True, kw_only=True)
class Full:
    """Nothing fits now; ``fitting`` slots would be enough if they were free."""

    fitting: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Impossible:
    """Nothing could ever fit on this server; ``nearest`` says what could."""

    reason: str
    nearest: str


Placement = Placed | Full | Impossible


def place(ask: GpuAsk, inventory: Inventory) -> Placement:
    """Choose ``ask.count`` slots."""
    fitting = [slot for slot in inventory.slots if fits(slot, ask)]
    if len(fitting) < ask.count:
        return Impossible(
            reason=f"this server has {len(fitting)} such {'GPU' if ask.profile is None else ask.profile}",
            nearest=_nearest(inventory.slots, ask),
        )
    free = [s for s in fitting if s.id not in inventory.taken and s.id not in inventory.quarantined]
    if len(free) < ask.count:
        return Full(fitting=len(fitting), reason=_why_full(fitting, free, inventory))
    chosen = _choose(free, ask, inventory)
    return Placed(slots=chosen, reason=_why(chosen, ask))


def fits(slot: Slot, ask: GpuAsk) -> bool:
    """Whether this slot is of the kind that was asked for."""
    if ask.profile is not None and slot.profile != ask.profile:
        return False
    return slot.memory_bytes >= ask.memory_bytes


def _choose(free: Sequence[Slot], ask: GpuAsk, inventory: Inventory) -> tuple[Slot, ...]:
    ranked = sorted(free, key=lambda slot: _harm(slot, inventory))
    if ask.count == 1:
        return (ranked[0],)
    groups = [[slot for slot in ranked if _near(first, slot)] for first in ranked]
    together = [group for group in groups if len(group) >= ask.count]
    return tuple((together[0] if together else ranked)[: ask.count])


def _near(one: Slot, other: Slot) -> bool:
    """Whether two slots are one slot, linked, or on the same known NUMA node."""
    if one.id == other.id or other.id in one.links:
        return True
    return not one.links and one.numa_node >= 0 and one.numa_node == other.numa_node


def _harm(slot: Slot, inventory: Inventory) -> tuple[Fraction, int, float, int, str]:
    """Smaller is better: size, then free neighbours on the same GPU (pack), then recency, then index."""
    neighbours = sum(1 for s in inventory.slots if s.gpu == slot.gpu and s.id not in inventory.taken)
    used = inventory.last_used.get(slot.id)
    return (slot.gpueq, neighbours, used.timestamp() if used else 0.0, slot.gpu_index, slot.id)


def _why(chosen: tuple[Slot, ...], ask: GpuAsk) -> str:
    if ask.count == 1:
        return "the smallest free slot that fits"
    linked = all(_near(chosen[0], slot) for slot in chosen)
    return "free slots close to each other" if linked else "free slots; none closer together were free"


def _why_full(fitting: Sequence[Slot], free: Sequence[Slot], inventory: Inventory) -> str:
    bad = sum(1 for slot in fitting if slot.id in inventory.quarantined)
    taken = sum(1 for slot in fitting if slot.id in inventory.taken)
    parts = [f"{taken} of {len(fitting)} that fit are in use"]
    if bad:
        parts.append(f"{bad} out of service")
    if free:
        parts.append(f"{len(free)} free")
    return ", ".join(parts)


def _nearest(slots: Sequence[Slot], ask: GpuAsk) -> str:
    if not slots:
        return "--gpus 0"
    same = [slot for slot in slots if fits(slot, ask)]
    if same:
        return f"--gpus {len(same)}" if ask.profile is None else f"--gpus {ask.profile}"
    if ask.profile is not None:
        kinds = sorted({slot.profile for slot in slots})
        return "--gpus 1" if kinds == ["full"] else f"--gpus {kinds[0]}"
    largest = max(slot.memory_bytes for slot in slots)
    return f"--gpus 1 --mem {largest // 1024**3}G"
