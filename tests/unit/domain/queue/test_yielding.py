"""Who gives way: as little as possible, never in vain, never what does not yield, never for whoever yields herself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.gpu import SlotId
from ds01.domain.lease import LeaseId, LeaseState
from ds01.domain.queue.booking import Booking
from ds01.domain.queue.decide import decide
from ds01.domain.queue.plan import Member, Owner, Server, Taken
from ds01.domain.queue.request import Request
from ds01.domain.queue.yielding import giving_way
from tests.unit.domain.queue.world import FAIR, booked, gpus, has, want, who
from tests.values import NOW

YIELDS = Member(yields=True)


def runs(by: str, *numbers: int, since: float = -1) -> Taken:
    """A lease called by its owner and its first GPU."""
    return has(by, numbers, None, since=since)._replace(lease=f"{by}{numbers[0]}")


def asked(
    waiting: list[Request], taken: list[Taken], *, size: int = 4, ill: int | None = None,
    before: frozenset[str] = frozenset(),
) -> set[str]:  # fmt: skip
    """Which leases are to end on a server where b and c yield."""
    members = {who("a"): Member(), who("d"): Member(), who("b"): YIELDS, who("c"): YIELDS}
    server = Server(
        slots=gpus(size), taken=tuple(taken), quarantined={} if ill is None else {SlotId(f"GPU-{ill}"): "Xid 79"}
    )
    plan = decide(waiting, server, members, NOW, FAIR)
    known = {one.id: one for one in waiting}
    return set(giving_way(plan, known, server, members, NOW, frozenset(map(LeaseId, before))))


def test_the_youngest_yields_and_only_as_many_as_are_needed() -> None:
    taken = [runs("b", 0, since=-5), runs("b", 1, since=-1), runs("c", 2, since=-3), runs("d", 3)]
    assert asked([want("x")], taken) == {"b1"}
    assert asked([want("x", 2)], taken) == {"b1", "c2"}
    assert asked([want("x"), want("y", by="d")], taken) == {"b1", "c2"}


def test_nobody_yields_in_vain() -> None:
    taken = [runs("b", 0), runs("d", 1), runs("d", 2), runs("d", 3)]
    assert asked([want("x", 2)], taken) == set()
    assert asked([want("x", 2), want("y")], taken) == {"b0"}


def test_nobody_yields_where_there_is_room() -> None:
    assert asked([want("x")], [runs("b", 0), runs("b", 1), runs("b", 2)]) == set()
    assert asked([want("x", 2)], [runs("b", 0), runs("b", 1), runs("b", 2)]) == {"b0"}


def test_whoever_yields_makes_nobody_yield_and_waits_behind_everybody() -> None:
    taken = [runs("b", 0), runs("d", 1), runs("d", 2), runs("d", 3)]
    assert asked([want("x", by="c")], taken) == set()
    found = decide(
        [want("old", by="b", waited=1000), want("new")], Server(slots=gpus(1)), {who("a"): Member(), who("b"): YIELDS},
        NOW, FAIR,
    )  # fmt: skip
    assert [start.request for start in found.starts] == ["new"]


def test_what_is_booked_does_not_yield() -> None:
    taken = [runs("b", 0)._replace(booking="book-1")]
    assert asked([want("x")], taken, size=1) == set()


def test_who_may_have_no_more_makes_nobody_yield() -> None:
    members = {who("a"): Member(quota=Fraction(1)), who("b"): YIELDS}
    server = Server(slots=gpus(2), taken=(runs("a", 0), runs("b", 1)))
    waiting = [want("x")]
    plan = decide(waiting, server, members, NOW, FAIR)
    assert giving_way(plan, {one.id: one for one in waiting}, server, members, NOW) == frozenset()


def test_a_gpu_that_is_ill_makes_no_room() -> None:
    assert asked([want("x")], [runs("b", 0)], size=1, ill=0) == set()


def test_what_was_asked_to_yield_stays_asked() -> None:
    taken = [runs("b", 0, since=-5), runs("b", 1, since=-1), runs("b", 2, since=-2), runs("b", 3, since=-0.1)]
    assert asked([want("x")], taken) == {"b3"}
    assert asked([want("x")], taken, before=frozenset({"b0"})) == {"b0"}


def for_bookings(taken: list[Taken], *bookings: Booking, before: frozenset[str] = frozenset()) -> set[str]:
    """Which leases are to end on four GPUs where nobody waits; b and c yield, and must be told half an hour before."""
    told = replace(YIELDS, notice=timedelta(minutes=30))
    members = {who("d"): Member(), who("b"): told, who("c"): told}
    server = Server(slots=gpus(4), taken=tuple(taken), bookings=bookings)
    plan = decide([], server, members, NOW, FAIR)
    return set(giving_way(plan, {}, server, members, NOW, frozenset(map(LeaseId, before))))


def test_what_yields_gives_way_to_a_booking_as_late_as_its_warning_allows() -> None:
    taken = [runs("b", 0), runs("d", 1), runs("d", 2), runs("d", 3)]
    assert for_bookings(taken, booked("near", 0.5, 2)) == {"b0"}
    assert for_bookings(taken, booked("near", 0.51, 2)) == set()
    assert for_bookings(taken, booked("on", -0.1, 2)) == {"b0"}


def test_a_booking_that_has_its_slots_makes_nobody_yield() -> None:
    assert for_bookings([runs("b", 0), runs("b", 1), runs("b", 2)], booked("near", 0.5, 2)) == set()
    ends = runs("d", 3)._replace(until=NOW + timedelta(minutes=20))
    assert for_bookings([runs("b", 0), runs("b", 1), runs("b", 2), ends], booked("near", 0.5, 2)) == set()
    assert for_bookings([runs("b", 0), runs("b", 1), runs("b", 2), ends], booked("near", 0.25, 2)) == {"b0"}
    mine = runs("b", 3)._replace(booking="near")
    assert for_bookings([runs("b", 0), runs("b", 1), runs("b", 2), mine], booked("near", -0.1, 2)) == set()


def test_nobody_yields_to_a_booking_in_vain_and_the_youngest_does_first() -> None:
    taken = [runs("b", 0), runs("d", 1), runs("d", 2), runs("d", 3)]
    assert for_bookings(taken, booked("two", 0.5, 2, 2)) == set()
    taken = [runs("b", 0, since=-5), runs("b", 1, since=-1), runs("c", 2, since=-3), runs("d", 3)]
    assert for_bookings(taken, booked("one", 0.5, 2)) == {"b1"}
    assert for_bookings(taken, booked("two", 0.5, 2, 2)) == {"b1", "c2"}
    assert for_bookings(taken, booked("one", 0.5, 2), before=frozenset({"b0"})) == {"b0"}


def test_two_bookings_do_not_count_the_same_room() -> None:
    taken = [runs("b", 0, since=-5), runs("b", 1, since=-1), runs("d", 2)]
    assert for_bookings(taken, booked("one", 0.5, 2), booked("other", 0.5, 2, by="y")) == {"b1"}
    after = booked("after", 2, 3, by="y")
    assert for_bookings(taken, booked("one", 0.5, 2), after) == set()


def test_a_gpu_that_is_only_kept_goes_before_all_and_what_starts_is_left_to_start() -> None:
    kept = runs("b", 0, since=-5)._replace(state=LeaseState.HELD)
    starts = runs("b", 1, since=-0.1)._replace(state=LeaseState.RESERVED)
    assert asked([want("x")], [kept, starts, runs("c", 2, since=-1), runs("d", 3)]) == {"b0"}
    assert asked([want("x", 3)], [kept, starts, runs("c", 2, since=-1), runs("d", 3)]) == set()


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 3)), max_size=4),
    st.lists(st.tuples(st.sampled_from("ad"), st.integers(1, 4)), min_size=1, max_size=4),
)
def test_what_yields_makes_room_for_somebody_and_nothing_else_is_touched(
    holders: list[tuple[str, int]], askers: list[tuple[str, int]]
) -> None:
    taken, at = [], 0
    for age, (by, count) in enumerate(holders):
        taken.append(runs(by, *range(at, at + count), since=-age - 1))
        at += count
    waiting = [want(f"r{number}", count, by=by, waited=number) for number, (by, count) in enumerate(askers)]
    size = max(at, 4)
    found = asked(waiting, taken, size=size)
    assert found <= {one.lease for one in taken if one.owner in (who("b"), who("c"))}
    if found:
        members = {who(letter): Member(yields=letter in "bc") for letter in "abcd"}
        begun = decide(waiting, Server(slots=gpus(size), taken=tuple(taken)), members, NOW, FAIR).starts
        owners = {one.id: Owner(one.uid, one.epoch) for one in waiting}
        held = tuple(
            Taken(owner=owners[start.request], slots=tuple(slot.id for slot in start.placed.slots), lease=start.request,
                  gpueq=Fraction(len(start.placed.slots)), since=NOW)
            for start in begun
        )  # fmt: skip
        left = (*(one for one in taken if one.lease not in found), *held)
        still = [one for one in waiting if one.id not in {start.request for start in begun}]
        assert decide(still, Server(slots=gpus(size), taken=left), members, NOW + timedelta(seconds=1), FAIR).starts
