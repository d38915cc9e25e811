"""How close slots are, and which of many lie closest together.

Two GPUs with a direct link are closest, then two on one NUMA node; everything else is apart. Choosing grows a group
from each of the best starts, always by the slot with most bonds to it, and compares the groups: exact for the few
GPUs of a server, and quick for a thousand slots.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ds01.domain.gpu import Slot, SlotId

LINKED, SAME_NODE, APART = 2, 1, 0
_STARTS = 32

Bonds = Mapping[SlotId, Mapping[SlotId, int]]
"""How close each slot is to each of those it is not apart from."""


def closeness(one: Slot, other: Slot) -> int:
    """2 for linked (or parts of one GPU), 1 for the same known NUMA node, 0 otherwise."""
    if one.gpu == other.gpu or other.gpu in one.links or one.gpu in other.links:
        return LINKED
    if one.numa_node >= 0 and one.numa_node == other.numa_node:
        return SAME_NODE
    return APART


def near(one: Slot, other: Slot) -> bool:
    """Whether two slots are as close as the first one's GPU can be: linked if it has links, else on its node."""
    return closeness(one, other) >= (LINKED if one.links else SAME_NODE)


def closest(ranked: Sequence[Slot], count: int) -> tuple[Slot, ...]:
    """``count`` of the slots, close together and cutting few bonds to others; of equals the earliest."""
    bonds = _bonds(ranked) if count > 1 else {}
    if not any(bonds.values()):
        return tuple(ranked[:count])
    rank = {slot.id: number for number, slot in enumerate(ranked)}
    groups = [_grown(slot.id, rank, bonds, count) for slot in ranked[:_STARTS]]
    best = max(groups, key=lambda group: (_inside(group, bonds), -_cut(group, bonds)))
    return tuple(slot for slot in ranked if slot.id in best)


def _bonds(slots: Sequence[Slot]) -> Bonds:
    found: dict[SlotId, dict[SlotId, int]] = {slot.id: {} for slot in slots}
    for one, other in _pairs(slots):
        found[one.id][other.id] = found[other.id][one.id] = closeness(one, other)
    return found


def _pairs(slots: Sequence[Slot]) -> Iterator[tuple[Slot, Slot]]:
    """Pairs that may be close, without looking at all pairs there are."""
    on_gpu, on_node = defaultdict(list), defaultdict(list)
    for slot in slots:
        on_gpu[slot.gpu].append(slot)
        on_node[slot.numa_node].append(slot)
    for slot in slots:
        mates = on_node[slot.numa_node] if slot.numa_node >= 0 else []
        linked = (other for gpu in (slot.gpu, *slot.links) for other in on_gpu.get(gpu, ()))
        yield from ((slot, other) for other in (*mates, *linked) if other.id != slot.id)


def _grown(first: SlotId, rank: Mapping[SlotId, int], bonds: Bonds, count: int) -> frozenset[SlotId]:
    group, pull = {first}, Counter(bonds[first])
    while len(group) < count and pull:
        chosen = max(pull, key=lambda slot: (pull[slot], -rank[slot]))
        group.add(chosen)
        pull.update(bonds[chosen])
        for member in group:
            pull.pop(member, None)
    rest = (slot for slot in rank if slot not in group)
    return frozenset(group).union(slot for _, slot in zip(range(count - len(group)), rest, strict=False))


def _inside(group: frozenset[SlotId], bonds: Bonds) -> int:
    return sum(bond for one in group for other, bond in bonds[one].items() if other in group)


def _cut(group: frozenset[SlotId], bonds: Bonds) -> int:
    """How many bonds to slots outside the group are cut by taking it."""
    return sum(bond for one in group for other, bond in bonds[one].items() if other not in group)
