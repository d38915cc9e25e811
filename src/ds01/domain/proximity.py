"""How close slots are, and which of many lie closest together.

Two GPUs with a direct link are closest, then two on one NUMA node; everything else is apart. Choosing is greedy
from each start: exact for the few GPUs of a server, and never slow for a thousand slots without a topology.
"""

from __future__ import annotations

from collections.abc import Sequence

from ds01.domain.gpu import Slot

LINKED, SAME_NODE, APART = 2, 1, 0
_STARTS = 32


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
    """``count`` of the slots, close together and breaking up as little as possible; of equals the earliest."""
    if count == 1 or not any(slot.links or slot.numa_node >= 0 for slot in ranked):
        return tuple(ranked[:count])
    groups = [_grown(first, ranked, count) for first in ranked[:_STARTS]]
    return max(groups, key=lambda group: (_inside(group), -_cut(group, ranked)))


def _grown(first: Slot, ranked: Sequence[Slot], count: int) -> tuple[Slot, ...]:
    group = [first]
    while len(group) < count:
        rest = [slot for slot in ranked if slot not in group]
        group.append(max(rest, key=lambda slot: sum(closeness(slot, other) for other in group)))
    return tuple(group)


def _inside(group: Sequence[Slot]) -> int:
    return sum(closeness(one, other) for one in group for other in group)


def _cut(group: Sequence[Slot], ranked: Sequence[Slot]) -> int:
    """How many bonds to slots outside the group are cut by taking it."""
    return sum(closeness(one, other) for one in group for other in ranked if other not in group)
