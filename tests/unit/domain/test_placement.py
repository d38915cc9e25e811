"""Placement: cases made by hand, and what holds for every server, load and request."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.gpu import Gpu, Slot, SlotId, slots_of
from ds01.domain.gpu_ask import GpuAsk, ask, flags
from ds01.domain.placement import Full, Impossible, Inventory, OverBudget, Placed, fits, place, total
from tests.values import GIB, NOW, gpu, slots

HALVES = ["3g.20gb", "3g.20gb"]
THREE = ["3g.20gb", "2g.10gb", "2g.10gb"]


def chosen(want: GpuAsk, *gpus: Gpu, taken: str = "", **inventory: Any) -> list[str]:
    """The ids placed on a server of these GPUs with these slots taken (separated by spaces)."""
    found = place(want, Inventory(slots=slots(*gpus), taken=ids(taken), **inventory))
    assert isinstance(found, Placed), found
    return [slot.id for slot in found.slots]


def ids(text: str) -> frozenset[SlotId]:
    return frozenset(SlotId(part) for part in text.split())


# made by hand -----------------------------------------------------------------------------------------
def test_the_smallest_slot_that_fits_is_taken() -> None:
    server = (gpu(0), gpu(1, parts=THREE))
    assert chosen(GpuAsk(), *server) == ["MIG-1-1"]
    assert chosen(GpuAsk(memory_bytes=15 * GIB), *server) == ["MIG-1-0"]
    assert chosen(GpuAsk(memory_bytes=21 * GIB), *server) == ["GPU-0"]
    assert chosen(GpuAsk(profile="full"), *server) == ["GPU-0"]


def test_memory_is_asked_for_as_it_is_sold() -> None:
    a100, h100 = gpu(0, parts=["1g.5gb"]), gpu(1)
    part = replace(a100.instances[0], memory_bytes=4864 * 1024**2)
    server = (replace(a100, instances=(part,)), replace(h100, memory_bytes=81559 * 1024**2))
    assert chosen(GpuAsk(memory_bytes=5 * GIB), *server) == ["MIG-0-0"]
    assert chosen(GpuAsk(memory_bytes=80 * GIB), *server) == ["GPU-1"]
    assert isinstance(place(GpuAsk(memory_bytes=81 * GIB), Inventory(slots=slots(*server))), Impossible)


def test_of_two_sizes_of_whole_gpus_the_smaller_that_fits_is_taken() -> None:
    server = (gpu(0, memory=80), gpu(1, memory=40))
    assert chosen(GpuAsk(), *server) == ["GPU-1"]
    assert chosen(GpuAsk(memory_bytes=50 * GIB), *server) == ["GPU-0"]


def test_instances_are_packed_onto_the_fullest_gpu() -> None:
    server = (gpu(0, parts=HALVES), gpu(1, parts=HALVES))
    assert chosen(GpuAsk(), *server, taken="MIG-1-0") == ["MIG-1-1"]


def test_linked_pairs_are_kept_whole_by_a_request_for_one() -> None:
    pairs = [gpu(index, links=[index ^ 1]) for index in range(4)]
    assert chosen(GpuAsk(), *pairs, taken="GPU-0") == ["GPU-1"]


def test_several_gpus_are_linked_ones() -> None:
    pairs = [gpu(index, links=[index ^ 1], numa=0) for index in range(4)]
    assert chosen(GpuAsk(count=2), *pairs, taken="GPU-1") == ["GPU-2", "GPU-3"]
    assert set(chosen(GpuAsk(count=2), *pairs)) in ({"GPU-0", "GPU-1"}, {"GPU-2", "GPU-3"})


def test_several_gpus_without_links_are_on_one_numa_node() -> None:
    nodes = [gpu(index, numa=index % 2) for index in range(6)]
    assert set(chosen(GpuAsk(count=3), *nodes)) in ({"GPU-0", "GPU-2", "GPU-4"}, {"GPU-1", "GPU-3", "GPU-5"})
    assert set(chosen(GpuAsk(count=3), *nodes, taken="GPU-0")) == {"GPU-1", "GPU-3", "GPU-5"}


def test_a_pair_is_taken_from_the_pair_and_not_out_of_the_group_of_four() -> None:
    four = {0: [1, 2, 3], 1: [0, 2, 3], 2: [0, 1, 3], 3: [0, 1, 2], 4: [5], 5: [4]}
    assert set(chosen(GpuAsk(count=2), *(gpu(i, links=links) for i, links in four.items()))) == {"GPU-4", "GPU-5"}


def test_when_no_close_ones_are_free_distant_ones_are_better_than_none() -> None:
    pairs = [gpu(index, links=[index ^ 1]) for index in range(4)]
    assert set(chosen(GpuAsk(count=2), *pairs, taken="GPU-0 GPU-2")) == {"GPU-1", "GPU-3"}


def test_several_are_whole_gpus_first_because_instances_cannot_work_together() -> None:
    server = (gpu(0), gpu(1), gpu(2, parts=HALVES))
    assert set(chosen(GpuAsk(count=2), *server)) == {"GPU-0", "GPU-1"}
    assert set(chosen(GpuAsk(count=2), *server, taken="GPU-0")) == {"MIG-2-0", "MIG-2-1"}


def test_several_are_of_one_kind_when_possible() -> None:
    server = (gpu(0, memory=40), gpu(1, memory=80), gpu(2, memory=80))
    assert set(chosen(GpuAsk(count=2), *server)) == {"GPU-1", "GPU-2"}
    assert len(chosen(GpuAsk(count=3), *server)) == 3


def test_of_equals_the_one_used_least_recently_is_taken() -> None:
    used = {SlotId("GPU-0"): NOW, SlotId("GPU-1"): NOW - timedelta(hours=1)}
    assert chosen(GpuAsk(), gpu(0), gpu(1), last_used=used) == ["GPU-1"]
    assert chosen(GpuAsk(), gpu(0), gpu(1), gpu(2), last_used=used) == ["GPU-2"]


def test_what_a_container_had_before_it_gets_again() -> None:
    server = [gpu(index) for index in range(4)]
    before = (SlotId("GPU-3"), SlotId("GPU-1"))
    assert chosen(GpuAsk(count=2), *server, preferred=before) == ["GPU-3", "GPU-1"]
    assert chosen(GpuAsk(count=2), *server, taken="GPU-1", preferred=before) == ["GPU-0", "GPU-2"]


def test_a_gpu_whose_instance_is_leased_is_not_free_and_the_other_way_round() -> None:
    """The driver may show both while a GPU is being divided."""
    both = slots_of(gpu(0)) + slots_of(gpu(0, parts=HALVES))
    half = Inventory(slots=both, taken=ids("MIG-0-1"))
    assert isinstance(place(GpuAsk(profile="full"), half), Full)
    assert isinstance(place(GpuAsk(profile="3g.20gb"), Inventory(slots=both, taken=ids("GPU-0"))), Full)
    assert isinstance(place(GpuAsk(profile="3g.20gb"), half), Placed)


def test_an_instance_of_a_quarantined_gpu_is_not_free() -> None:
    server = Inventory(slots=slots(gpu(0, parts=HALVES)), quarantined={SlotId("GPU-0"): "Xid 79"})
    found = place(GpuAsk(), server)
    assert isinstance(found, Full)
    assert found.reason == "0 of 2 that fit are in use, 2 out of service"


def test_full_says_how_many_and_what_instead() -> None:
    found = place(GpuAsk(count=3), Inventory(slots=slots(*(gpu(i) for i in range(4))), taken=ids("GPU-0 GPU-1")))
    assert found == Full(fitting=4, reason="2 of 4 that fit are in use, 2 free", instead=GpuAsk(count=2))
    found = place(GpuAsk(), Inventory(slots=slots(gpu(0)), taken=ids("GPU-0")))
    assert found == Full(fitting=1, reason="1 of 1 that fit is in use", instead=None)


def test_what_costs_more_than_the_budget_is_never_waited_for() -> None:
    server = Inventory(slots=slots(gpu(0), gpu(1, parts=THREE)))
    assert place(GpuAsk(), server, Fraction(1, 7)) == OverBudget(cost=Fraction(2, 7))
    assert place(GpuAsk(count=2), server, Fraction(4, 7)) == place(GpuAsk(count=2, profile="2g.10gb"), server)


def test_within_the_budget_but_only_larger_ones_free_is_full() -> None:
    server = Inventory(slots=slots(gpu(0), gpu(1, parts=THREE)), taken=ids("MIG-1-1 MIG-1-2"))
    assert isinstance(place(GpuAsk(), server, Fraction(2, 7)), Full)


def test_impossible_says_why_and_the_nearest() -> None:
    server = Inventory(slots=slots(gpu(0), gpu(1)))
    found = place(GpuAsk(count=3), server)
    assert found == Impossible(reason="this server has 2 GPU slots", nearest="--gpus 2")
    found = place(GpuAsk(profile="1g.5gb"), server)
    assert found == Impossible(reason="this server has no '1g.5gb' slots", nearest="--gpus full")
    found = place(GpuAsk(memory_bytes=200 << 30), server)
    assert isinstance(found, Impossible)
    assert found.reason == "this server has no GPU slots with 200G"
    found = place(GpuAsk(), Inventory(slots=slots(gpu(0)), mig="only"))
    assert isinstance(found, Impossible)
    assert "MIG instances, which are all you may use" in found.reason


def test_placing_on_a_thousand_slots_takes_milliseconds() -> None:
    eights = [range(first, first + 8) for first in range(0, 1000, 8)]
    gpus = [gpu(one, numa=eight[0] // 8, links=[o for o in eight if o != one]) for eight in eights for one in eight]
    many = Inventory(slots=slots(*gpus))
    began = time.perf_counter()
    found = place(GpuAsk(count=8), many)
    assert time.perf_counter() - began < 1, "usually 12 ms"
    assert isinstance(found, Placed)
    assert len({slot.numa_node for slot in found.slots}) == 1


# for every server -------------------------------------------------------------------------------------
PROFILES = st.sampled_from(["1g.5gb", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb"])


@st.composite
def servers(draw: st.DrawFn) -> Inventory:
    """Any server: divided or not, linked or not, partly leased, partly out of service."""
    gpus = []
    for index in range(draw(st.integers(0, 6))):
        parts = draw(st.lists(PROFILES, max_size=4))
        links = draw(st.lists(st.integers(0, 5), max_size=3, unique=True))
        memory = draw(st.sampled_from([24, 40, 80]))
        numa = draw(st.integers(-1, 1))
        gpus.append(gpu(index, memory=memory, parts=parts, links=[i for i in links if i != index], numa=numa))
    all_slots = slots(*gpus)
    some = st.sets(st.sampled_from([slot.id for slot in all_slots])) if all_slots else st.just(set())
    taken, sick = draw(some), draw(some)
    mig = draw(st.sampled_from(["allowed", "allowed", "only", "never"]))
    used = {slot: NOW + timedelta(minutes=draw(st.integers(0, 3))) for slot in draw(some)}
    return Inventory(
        slots=all_slots, taken=frozenset(taken), quarantined=dict.fromkeys(sick, "sick"), last_used=used, mig=mig
    )  # fmt: skip


ASKS = st.builds(
    GpuAsk,
    count=st.integers(1, 4),
    profile=st.one_of(st.none(), st.just("full"), PROFILES),
    memory_bytes=st.sampled_from([0, 0, 8 * GIB, 16 * GIB, 30 * GIB]),
)
BUDGETS = st.one_of(st.none(), st.fractions(0, 4, max_denominator=7))


def usable(slot: Slot, server: Inventory) -> bool:
    return slot.id not in server.taken and slot.id not in server.quarantined and slot.gpu not in server.quarantined


@given(servers(), ASKS, BUDGETS)
def test_what_is_placed_is_free_healthy_fitting_allowed_and_affordable(
    server: Inventory, want: GpuAsk, budget: Fraction | None
) -> None:
    found = place(want, server, budget)
    if not isinstance(found, Placed):
        return
    assert len({slot.id for slot in found.slots}) == want.count
    assert all(usable(slot, server) and fits(slot, want) for slot in found.slots)
    assert budget is None or found.gpueq <= budget
    assert server.mig == "allowed" or all(slot.whole == (server.mig == "never") for slot in found.slots)


@given(servers(), ASKS, BUDGETS)
def test_a_refusal_is_true(server: Inventory, want: GpuAsk, budget: Fraction | None) -> None:
    found = place(want, server, budget)
    fitting = server.fitting(want)
    free = sorted((slot for slot in fitting if usable(slot, server)), key=lambda slot: slot.gpueq)
    match found:
        case Impossible():
            assert len(fitting) < want.count
        case OverBudget(cost=cost):
            assert budget is not None
            assert cost == total(sorted(fitting, key=lambda slot: slot.gpueq)[: want.count]) > budget
        case Full():
            cheapest = free[: want.count]
            assert len(cheapest) < want.count or (budget is not None and total(cheapest) > budget)
        case Placed():
            assert len(free) >= want.count


@given(servers(), ASKS.filter(lambda want: want.count == 1))
def test_one_slot_is_never_larger_than_needed(server: Inventory, want: GpuAsk) -> None:
    found = place(want, server)
    if isinstance(found, Placed):
        free = [slot for slot in server.fitting(want) if usable(slot, server)]
        assert found.gpueq == min(slot.gpueq for slot in free)


@given(servers(), ASKS)
def test_an_instance_is_taken_where_least_of_the_gpu_is_left(server: Inventory, want: GpuAsk) -> None:
    found = place(GpuAsk(memory_bytes=want.memory_bytes, profile=want.profile), server)
    if not isinstance(found, Placed) or found.slots[0].whole:
        return
    free = [slot for slot in server.fitting(want) if usable(slot, server)]

    def left(slot: Slot) -> int:
        return sum(1 for other in free if other.gpu == slot.gpu)

    mine = found.slots[0]
    alike = [slot for slot in free if (slot.profile, slot.model) == (mine.profile, mine.model)]
    assert left(mine) == min(left(slot) for slot in alike)


@given(servers(), ASKS, BUDGETS)
def test_what_is_offered_instead_can_be_had(server: Inventory, want: GpuAsk, budget: Fraction | None) -> None:
    match place(want, server, budget):
        case Full(instead=GpuAsk() as other):
            assert isinstance(place(other, server, budget), Placed)
        case Impossible(nearest=text) if text != "--gpus 0":
            empty = Inventory(slots=server.slots, mig=server.mig)
            count, _, memory = text.removeprefix("--gpus ").partition(" --mem ")
            nearest = ask(count, int(memory.removesuffix("G") or 0) * GIB if memory else 0)
            assert flags(nearest) == text
            assert isinstance(place(nearest, empty), Placed)


@given(servers(), ASKS, st.randoms())
def test_the_order_of_the_inventory_does_not_matter(server: Inventory, want: GpuAsk, chance: Random) -> None:
    shuffled = list(server.slots)
    chance.shuffle(shuffled)
    other = Inventory(
        slots=tuple(shuffled), taken=server.taken, quarantined=server.quarantined,
        last_used=server.last_used, mig=server.mig,
    )  # fmt: skip
    assert place(want, server) == place(want, other)
