"""Bookings: what can be promised together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.gpu import Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.people import Uid
from ds01.domain.queue.booking import Booking, BookingId, Kind, kept, standing
from ds01.domain.queue.seating import clashes, possible, seated
from tests.values import ALICE, GIB, NOW, gpu, lease, slots

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


KINDS = st.sampled_from([None, "full", "3g.20gb", "2g.10gb"])


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(1, 3), KINDS, st.sampled_from([0, 15])),
             min_size=1, max_size=6)
)  # fmt: skip
def test_what_is_refused_could_not_be_had_in_any_way(asked: list[tuple[int, int, int, str | None, int]]) -> None:
    """Of several kinds: the answer is that of trying everything."""
    accepted: list[Booking] = []
    for number, (begin, length, count, profile, memory) in enumerate(asked):
        new = booked(str(number), begin, begin + length, count, profile, memory=memory)
        together = [*accepted, new]
        assert possible(new, accepted, MIXED) == any_way(together, MIXED)
        if possible(new, accepted, MIXED):
            accepted.append(new)
            given = seated(accepted, MIXED)
            assert not given.unseated
            check(accepted, given.slots)


def any_way(bookings: Sequence[Booking], server: Sequence[Slot]) -> bool:
    """Whether there is any assignment of slots, by trying all of them."""
    if not bookings:
        return True
    return _any(sorted(bookings, key=lambda one: one.begins_at), {}, server)


def _any(left: Sequence[Booking], given: dict[BookingId, tuple[Booking, set[str]]], server: Sequence[Slot]) -> bool:
    if not left:
        return True
    one = left[0]
    busy = {slot for other, ids in given.values() if other.overlaps(one) for slot in ids}
    able = [slot.id for slot in server if one.could_use(slot) and slot.id not in busy]
    return any(_any(left[1:], {**given, one.id: (one, set(ids))}, server) for ids in combinations(able, one.count))


def check(bookings: Sequence[Booking], given: Mapping[BookingId, tuple[SlotId, ...]]) -> None:
    known = {slot.id: slot for slot in MIXED}
    for one in bookings:
        assert len(given[one.id]) == len(set(given[one.id])) == one.count
        assert all(one.could_use(known[slot]) for slot in given[one.id])
        for other in bookings:
            if other.id != one.id and one.overlaps(other):
                assert not set(given[one.id]) & set(given[other.id])


def test_where_the_quick_way_leaves_somebody_out_all_ways_are_looked_at() -> None:
    """A small one that could be anywhere begins first and ends last; two that need the same kind follow."""
    server = slots(gpu(0, parts=["2g.10gb", "2g.10gb"]), gpu(1, parts=["3g.20gb"]))
    anywhere = [booked("long", 0, 9), booked("b", 0, 2, 1, "3g.20gb"), booked("c", 3, 5, 2, "2g.10gb")]
    assert not seated(anywhere, server).unseated or not any_way(anywhere, server)


def test_a_slot_in_use_stays_with_its_booking() -> None:
    sits = replace(booked("sits", 0, 4, 1), claimed=frozenset({SlotId("GPU-0")}))
    given = seated([sits, booked("whole", 1, 2, 1, "full")], MIXED)
    assert [one.name for one in given.unseated] == ["whole"]
    assert given.slots[BookingId("sits")] == ("GPU-0",)


# what goes back ------------------------------------------------------------------------------------------

WAIT = timedelta(minutes=15)


def seat(uid: int, *, left: float | None = None, slots_: Sequence[str] = ("GPU-0",)) -> Lease:
    """Somebody's lease of a booking; ``left`` hours after now she left."""
    used = lease(f"{uid}", *slots_, state=LeaseState.ACTIVE if left is None else LeaseState.RELEASED)
    return replace(used, uid=Uid(uid), ended_at=None if left is None else NOW + timedelta(hours=left))


def course(seats: int = 3) -> Booking:
    people = frozenset(Uid(number) for number in range(1, 10))
    return replace(booked("ml101", 0, 2, seats), kind=Kind.CLASS, uids=people, each=1)


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def test_all_is_kept_at_first_then_what_is_used_and_for_who_left_a_moment_ago() -> None:
    assert kept(course(), [], at(0.2), WAIT) == 3
    assert kept(course(), [], at(0.25), WAIT) == 0
    assert kept(course(), [seat(1), seat(2, slots_=["GPU-1"])], at(1), WAIT) == 2
    assert kept(course(), [seat(1), seat(2, left=0.9)], at(1), WAIT) == 2
    assert kept(course(), [seat(1), seat(2, left=0.7)], at(1), WAIT) == 1


def test_one_person_has_one_seat() -> None:
    before = standing(course(), [], at(-1), WAIT)
    assert before is not None
    assert before.count == 3
    now = standing(course(), [seat(1)], at(0.1), WAIT)
    assert now is not None
    assert Uid(1) not in now.uids
    assert Uid(2) in now.uids
    full = standing(course(1), [seat(1)], at(1), WAIT)
    assert full is not None
    assert not full.uids
    assert standing(course(), [], at(1), WAIT) is None
    assert standing(course(), [seat(1)], at(2), WAIT) is None
