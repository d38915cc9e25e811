"""Bookings: what can be promised together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.gpu import SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.queue.booking import Booking, BookingId, clashes, seated
from tests.values import ALICE, GIB, NOW, gpu, slots

FOUR = slots(*(gpu(index) for index in range(4)))
MIXED = slots(gpu(0), gpu(1, parts=["3g.20gb", "2g.10gb", "2g.10gb"]))


def booked(
    name: str, begin: float, end: float, count: int = 1, profile: str | None = None, named: Sequence[str] = (),
    memory: int = 0,
) -> Booking:  # fmt: skip
    """A booking from and to hours after now."""
    return Booking(
        id=BookingId(name), uid=ALICE.uid, epoch=1, name=name,
        ask=GpuAsk(count=count, profile=profile, memory_bytes=memory * GIB),
        begins_at=NOW + timedelta(hours=begin), ends_at=NOW + timedelta(hours=end),
        slots=tuple(SlotId(slot) for slot in named),
    )  # fmt: skip


def names(found: Sequence[Booking]) -> list[str]:
    return [one.name for one in found]


def test_as_many_as_there_are_slots() -> None:
    others = [booked("a", 0, 2, 2), booked("b", 1, 3, 2)]
    assert names(clashes(booked("c", 1, 2), others, FOUR)) == ["a", "b"]
    assert names(clashes(booked("c", 2, 3, 2), others, FOUR)) == []


def test_one_may_begin_when_another_ends() -> None:
    assert not clashes(booked("b", 2, 4, 4), [booked("a", 0, 2, 4), booked("c", 4, 5, 4)], FOUR)


def test_a_long_one_beside_two_short_ones_moves_them_together() -> None:
    two = FOUR[:2]
    assert not clashes(booked("long", 0, 5), [booked("a", 0, 2), booked("b", 3, 5)], two)


def test_named_slots_clash_only_with_what_needs_them() -> None:
    first = booked("a", 0, 2, named=["GPU-0"])
    assert names(clashes(booked("b", 1, 2, named=["GPU-0"]), [first], FOUR)) == ["a"]
    assert not clashes(booked("b", 1, 2, 3), [first], FOUR)
    assert names(clashes(booked("b", 1, 2, 4), [first], FOUR)) == ["a"]


def test_who_takes_anything_leaves_what_others_cannot_do_without() -> None:
    whole = booked("whole", 0, 2, profile="full")
    assert not clashes(booked("any", 0, 2, 3), [whole], MIXED)
    assert names(clashes(booked("any", 0, 2, 4), [whole], MIXED)) == ["whole"]
    assert not clashes(booked("large", 0, 2, memory=20), [whole], MIXED)


def test_other_kinds_do_not_clash() -> None:
    assert not clashes(booked("b", 0, 2, 2, profile="2g.10gb"), [booked("a", 0, 2, profile="full")], MIXED)


def test_a_booking_gets_what_is_back_last_before_it_begins() -> None:
    free = {SlotId("GPU-1"): NOW + timedelta(hours=1), SlotId("GPU-2"): NOW + timedelta(hours=3)}
    assert seated([booked("a", 2, 4)], FOUR, free).slots[BookingId("a")] == ("GPU-1",)
    assert seated([booked("a", 4, 5)], FOUR, free).slots[BookingId("a")] == ("GPU-2",)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8), st.integers(1, 3)), max_size=14), st.integers(1, 5))
def test_of_one_kind_exactly_what_overlaps_too_much_clashes(spans: list[tuple[int, int, int]], size: int) -> None:
    server = slots(*(gpu(index) for index in range(size)))
    accepted: list[Booking] = []
    for number, (begin, length, count) in enumerate(spans):
        new = booked(str(number), begin, begin + length, count)
        together = [*accepted, new]
        most = max(
            sum(one.count for one in together if one.begins_at <= moment.begins_at < one.ends_at) for moment in together
        )
        refused = bool(clashes(new, accepted, server)) or count > size
        assert refused == (most > size)
        if not refused:
            accepted.append(new)
    given = seated(accepted, server)
    assert not given.unseated
    for one in accepted:
        assert len(given.slots[one.id]) == one.count
        for other in accepted:
            if other.id != one.id and one.overlaps(other):
                assert not set(given.slots[one.id]) & set(given.slots[other.id])
