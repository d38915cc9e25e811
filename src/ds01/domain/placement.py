"""Placement: which slots a request gets, as one pure function with reasons.

You never choose a GPU index; you get the least harmful free one: the smallest slot that fits, whole GPUs and
linked groups kept whole (what is taken is taken where least is left), several GPUs close to each other, and of
equals the one used least recently. Several slots are all of one kind where possible, and whole GPUs come first
then: a program can use one MIG instance only, and instances cannot talk to each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from heapq import nsmallest
from itertools import groupby
from operator import attrgetter

from ds01.domain.gpu import Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk, flags
from ds01.domain.proximity import closest, near


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The slots of the server and what keeps each from being granted.

    ``taken`` are leased slots, ``quarantined`` maps a slot (or the GPU it is part of) to the reason nobody is
    placed on it, ``last_used`` is when a slot's last lease ended. ``mig`` says what the asker may use:
    ``allowed``, ``only`` instances, ``never`` instances. ``preferred`` slots are taken first: those a container had.
    """

    slots: tuple[Slot, ...]
    taken: frozenset[SlotId] = frozenset()
    quarantined: Mapping[SlotId, str] = field(default_factory=dict)
    last_used: Mapping[SlotId, datetime] = field(default_factory=dict)
    mig: str = "allowed"
    preferred: tuple[SlotId, ...] = ()

    def fitting(self, ask: GpuAsk) -> list[Slot]:
        """Slots of the kind that was asked for and that the asker may use, free or not."""
        return [slot for slot in self.slots if fits(slot, ask) and self._permits(slot)]

    def free(self, fitting: Sequence[Slot]) -> list[Slot]:
        """Those that could be leased now. A whole GPU with a leased instance is not, nor the other way round."""
        held = [slot for slot in self.slots if slot.id in self.taken]
        whole = {slot.gpu for slot in held if slot.whole}
        divided = {slot.gpu for slot in held if not slot.whole}
        return [
            slot
            for slot in fitting
            if slot.id not in self.taken
            and slot.gpu not in (divided if slot.whole else whole)
            and slot.healthy(self.quarantined)
        ]

    def _permits(self, slot: Slot) -> bool:
        return self.mig == "allowed" or slot.whole == (self.mig == "never")


@dataclass(frozen=True, kw_only=True)
class Placed:
    """The slots to lease, and why these."""

    slots: tuple[Slot, ...]
    reason: str

    @property
    def gpueq(self) -> Fraction:
        """What the placement counts against a quota."""
        return total(self.slots)


@dataclass(frozen=True, kw_only=True)
class Full:
    """Nothing fits now; ``fitting`` slots would be enough if they were free. ``instead`` would fit now."""

    fitting: int
    reason: str
    instead: GpuAsk | None = None


@dataclass(frozen=True, kw_only=True)
class Impossible:
    """Nothing could ever fit on this server; ``nearest`` says what could."""

    reason: str
    nearest: str


@dataclass(frozen=True, kw_only=True)
class OverBudget:
    """The least this request can cost is more than what may be spent; waiting for a slot would not help."""

    cost: Fraction


Placement = Placed | Full | Impossible | OverBudget


def place(ask: GpuAsk, inventory: Inventory, budget: Fraction | None = None) -> Placement:
    """Choose ``ask.count`` slots that together cost no more than ``budget`` (None: any)."""
    fitting = inventory.fitting(ask)
    if len(fitting) < ask.count:
        return Impossible(reason=_why_impossible(fitting, ask, inventory), nearest=flags(nearest(ask, inventory)))
    free = inventory.free(fitting)
    chosen = next(_choices(free, ask, inventory, budget), None)
    if chosen is not None:
        return Placed(slots=chosen, reason=_why(chosen, inventory))
    cost = cheapest(ask, fitting)
    if budget is not None and cost > budget:
        return OverBudget(cost=cost)
    reason = _why_full(fitting, free, inventory)
    return Full(fitting=len(fitting), reason=reason, instead=instead(ask, inventory, budget))


def fits(slot: Slot, ask: GpuAsk) -> bool:
    """Whether this slot is of the kind that was asked for."""
    if ask.profile is not None and slot.profile != ask.profile:
        return False
    return not ask.memory_bytes or slot.sold_bytes >= ask.memory_bytes


def total(slots: Iterable[Slot]) -> Fraction:
    """GPU-equivalents of slots together."""
    return sum((slot.gpueq for slot in slots), Fraction(0))


def cheapest(ask: GpuAsk, fitting: Iterable[Slot]) -> Fraction:
    """The least that a request can cost on these slots."""
    return total(nsmallest(ask.count, fitting, key=attrgetter("size")))


def instead(ask: GpuAsk, inventory: Inventory, budget: Fraction | None) -> GpuAsk | None:
    """The nearest request that would be met now: fewer of the same kind, else one of the largest free slots."""
    for count in range(ask.count - 1, 0, -1):
        fewer = GpuAsk(count=count, profile=ask.profile, memory_bytes=ask.memory_bytes)
        if next(_choices(inventory.free(inventory.fitting(fewer)), fewer, inventory, budget), None):
            return fewer
    affordable = [
        slot for slot in inventory.free(inventory.fitting(GpuAsk())) if budget is None or slot.gpueq <= budget
    ]
    if not affordable:
        return None
    largest = max(affordable, key=lambda slot: (slot.gpueq, slot.memory_bytes))
    return GpuAsk(profile=largest.profile)


def nearest(ask: GpuAsk, inventory: Inventory) -> GpuAsk:
    """The request closest to an impossible one that this server could meet when empty."""
    usable = inventory.fitting(GpuAsk())
    if not usable:
        return GpuAsk(count=0)
    if same := inventory.fitting(ask):
        return GpuAsk(count=len(same), profile=ask.profile, memory_bytes=ask.memory_bytes)
    if ask.profile is not None:
        larger = [slot for slot in usable if slot.sold_bytes >= ask.memory_bytes] or usable
        return GpuAsk(profile=min(larger, key=lambda slot: (slot.gpueq, slot.memory_bytes)).profile)
    memory = max(slot.sold_bytes for slot in usable)
    return GpuAsk(count=1, memory_bytes=memory // 1024**3 * 1024**3)


def _choices(
    free: Sequence[Slot], ask: GpuAsk, inventory: Inventory, budget: Fraction | None
) -> Iterator[tuple[Slot, ...]]:
    """Ways to meet the request, the least harmful first, none over the budget."""
    ranked = _ranked(free, inventory)
    kinds = [list(group) for _, group in groupby(ranked, key=_kind)]
    if ask.count > 1:
        kinds.sort(key=lambda kind: not kind[0].whole)
    before = [slot for slot in ranked if slot.id in inventory.preferred]
    sets = [tuple(sorted(before, key=lambda slot: inventory.preferred.index(slot.id)))]
    sets += [closest(kind, ask.count) for kind in kinds if len(kind) >= ask.count]
    sets.append(tuple(ranked[: ask.count]))
    for chosen in sets:
        if len(chosen) == ask.count and (budget is None or total(chosen) <= budget):
            yield chosen


def _kind(slot: Slot) -> tuple[float, int, str]:
    return slot.size, slot.memory_bytes, slot.model


def _ranked(free: Sequence[Slot], inventory: Inventory) -> list[Slot]:
    """The least harmful first: the smallest, where least is left to break up, used least recently."""
    ids = {slot.id for slot in free}
    on_gpu: Counter[SlotId] = Counter(slot.gpu for slot in free)
    on_node = Counter(slot.numa_node for slot in free)

    def harm(slot: Slot) -> tuple[object, ...]:
        used = inventory.last_used.get(slot.id)
        linked = len(slot.links & ids)
        recency = used.timestamp() if used else 0.0
        return *_kind(slot), on_gpu[slot.gpu], linked, on_node[slot.numa_node], recency, slot.gpu_index, slot.id

    return sorted(free, key=harm)


def _why(chosen: tuple[Slot, ...], inventory: Inventory) -> str:
    if tuple(slot.id for slot in chosen) == inventory.preferred:
        return "the same as before"
    if len(chosen) == 1:
        return "the smallest free slot that fits"
    if all(near(one, other) for one in chosen for other in chosen):
        return "free slots close to each other"
    return "free slots; none closer together were free"


def _why_full(fitting: Sequence[Slot], free: Sequence[Slot], inventory: Inventory) -> str:
    sick = sum(1 for slot in fitting if not slot.healthy(inventory.quarantined))
    used = len(fitting) - len(free) - sick
    parts = [f"{used} of {len(fitting)} that fit {'is' if used == 1 else 'are'} in use"]
    if sick:
        parts.append(f"{sick} out of service")
    if free:
        parts.append(f"{len(free)} free")
    return ", ".join(parts)


def _why_impossible(fitting: Sequence[Slot], ask: GpuAsk, inventory: Inventory) -> str:
    what = "GPU slot" if ask.profile is None else f"'{ask.profile}' slot"
    what += "" if len(fitting) == 1 else "s"
    if ask.memory_bytes:
        what += f" with {ask.memory_bytes / 1024**3:g}G"
    allowed = {"allowed": "", "only": " among the MIG instances, which are all you may use",
               "never": " among the whole GPUs, which are all you may use"}[inventory.mig]  # fmt: skip
    return f"this server has {len(fitting) or 'no'} {what}{allowed}"
