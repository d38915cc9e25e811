"""One pass: schedules worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ds01.domain.queue.decide import decide
from ds01.domain.queue.plan import Order, Rules, Server, Why
from tests.unit.domain.queue.world import EASY, FAIR, booked, has, hours, member, plan, started, want, who
from tests.values import NOW, gpu, slots

FIFO = Rules(order=Order.FIFO)
SKIP = Rules(order=Order.FIFO_SKIP)


def test_who_fits_starts_in_order_of_arrival() -> None:
    found = plan([want("b", 2, waited=1), want("a", 2, waited=2), want("c", 1)], rules=FIFO)
    assert started(found) == ["a", "b"]
    assert found.reasons == {"c": Why.FULL}
    assert len({slot.id for start in found.starts for slot in start.placed.slots}) == 4


def test_fifo_passes_nobody() -> None:
    waiting = [want("large", 4, waited=2), want("small", 1, waited=1)]
    assert started(plan(waiting, taken=[has("b", [0], 5)], rules=FIFO)) == []
    assert started(plan(waiting, taken=[has("b", [0], 5)], rules=SKIP)) == ["small"]


def test_fifo_is_not_held_up_by_who_is_over_her_own_quota() -> None:
    waiting = [want("one", 2, waited=3), want("two", 2, waited=2), want("three", 1, waited=1)]
    found = plan(waiting, rules=FIFO, a=member(quota=3))
    assert started(found) == ["one", "three"]
    assert found.reasons == {"two": Why.QUOTA}


def test_easy_passes_the_head_with_what_ends_before_its_time() -> None:
    taken = [has("b", [0, 1], 2)]
    found = plan([want("head", 4, waited=3), want("long", 1, 3, waited=2), want("short", 2, 2, waited=1)],
                 taken=taken, rules=EASY)  # fmt: skip
    assert started(found) == ["short"]
    assert found.head is not None
    assert (found.head.request, found.head.at) == ("head", NOW + hours(2))
    assert found.reasons == {"head": Why.FULL, "long": Why.FAIR_SHARE}


def test_easy_passes_the_head_on_slots_it_does_not_need() -> None:
    """Three slots are back in two hours and the head needs three: the fourth, free now, is nobody's."""
    taken = [has("b", [0, 1, 2], 2)]
    found = plan([want("head", 3, waited=3), want("long", 1, 99)], taken=taken, rules=EASY)
    assert started(found) == ["long"]
    assert found.head is not None
    assert found.head.at == NOW + hours(2)
    assert set(found.head.slots) == {"GPU-0", "GPU-1", "GPU-2"}


def test_only_one_long_one_passes_on_the_slot_that_is_over() -> None:
    taken = [has("b", [0, 1], 2)]
    found = plan([want("head", 3, waited=3), want("one", 1, 9, waited=2), want("two", 1, 9, waited=1)],
                 taken=taken, rules=EASY)  # fmt: skip
    assert started(found) == ["one"]
    assert found.reasons == {"head": Why.FULL, "two": Why.HEAD}


def test_who_holds_what_she_may_waits_for_herself_and_is_not_the_head() -> None:
    waiting = [want("mine", 4, waited=9, by="a"), want("other", 2, 9, by="b")]
    found = plan(waiting, taken=[has("a", [0], 5)], rules=EASY, a=member(quota=4))
    assert started(found) == ["other"]
    assert found.reasons == {"mine": Why.QUOTA}
    assert found.head is None


def test_a_quota_counts_what_the_same_pass_gives() -> None:
    found = plan([want("one", waited=2), want("two", waited=1), want("three")], a=member(quota=2))
    assert started(found) == ["one", "two"]
    assert found.reasons == {"three": Why.QUOTA}


def test_who_had_less_goes_first() -> None:
    waiting = [want("much", by="a", waited=0.1), want("little", by="b")]
    found = plan(waiting, size=1, a=member(used=10), b=member(used=1))
    assert started(found) == ["little"]
    assert found.reasons == {"much": Why.FULL}


def test_who_has_more_shares_may_have_had_more() -> None:
    waiting = [want("two", by="a"), want("one", by="b")]
    assert started(plan(waiting, size=1, a=member(used=3, shares=4), b=member(used=2))) == ["two"]
    assert started(plan(waiting, size=1, a=member(used=3), b=member(used=2, shares=1))) == ["one"]


def test_what_somebody_runs_now_counts_as_used() -> None:
    waiting = [want("more", by="a"), want("first", by="b")]
    assert started(plan(waiting, size=2, taken=[has("a", [0], 5, since=-3)])) == ["first"]


def test_waiting_outweighs_usage_in_the_end() -> None:
    for waited, first in ((1, "new"), (9, "old")):
        waiting = [want("old", by="a", waited=waited), want("new", by="b")]
        assert started(plan(waiting, size=1, a=member(used=100), b=member(used=0))) == [first]


def test_a_head_start_counts() -> None:
    assert started(plan([want("a", by="a", waited=1), want("b", by="b", priority=3)], size=1)) == ["b"]


def test_of_equals_the_shorter_gains_faster_by_waiting() -> None:
    assert started(plan([want("long", length=24, waited=2), want("short", length=0.1, waited=1)], size=1)) == ["short"]


def test_who_needs_several_gets_a_time_when_she_waited_its_price() -> None:
    """The other three slots would idle for four hours and then be hers for one: at price 2 that is due after 8 h."""
    rules = Rules(guard=2.0)
    taken = [has("b", [0], 4)]
    for waited, expected in ((7.9, ["small"]), (8.1, [])):
        found = plan([want("whole", 4, waited=waited), want("small", 1, 9, by="c")], taken=taken, rules=rules)
        assert started(found) == expected
    assert found.head is not None
    assert found.head.at == NOW + hours(4)


def test_a_time_that_was_given_is_kept_whatever_comes() -> None:
    """At the moment it needs, the slots are free, and somebody with more priority is there: too late for her."""
    rules = Rules(guard=2.0)
    waiting = [want("whole", 4, waited=12, by="a"), want("dear", 1, by="c", priority=999)]
    assert started(plan(waiting, rules=rules, kept="whole", after=4)) == ["whole"]
    assert started(plan(waiting, rules=rules, after=4)) == ["dear"]


def test_a_time_that_cannot_be_kept_any_more_costs_nothing() -> None:
    """A GPU fell ill and there are too few for her: what her quota kept for it is free for her other requests."""
    waiting = [want("whole", 4, waited=12), want("small", 1)]
    found = plan(waiting, ill=[0], kept="whole", a=member(quota=4))
    assert started(found) == ["small"]
    assert found.head is None


def test_who_was_served_last_waits_for_the_turn_of_others() -> None:
    waiting = [want("again", 4, waited=90, by="a"), want("first", 4, waited=80, by="b")]
    found = plan(waiting, taken=[has("c", [0], 1)], a=member(gathered=-1))
    assert found.head is not None
    assert found.head.request == "first"


def test_nothing_that_would_still_run_is_started_on_booked_slots() -> None:
    bookings = [booked("class", 2, 4, 3)]
    waiting = [want("short", 1, 2, waited=3), want("long", 1, 3, waited=2), want("too", 1, 3, waited=1)]
    found = plan(waiting, bookings=bookings, rules=EASY)
    assert started(found) == ["short", "long"]
    assert found.reasons == {"too": Why.BOOKING}


def test_the_head_gets_a_time_beside_the_bookings() -> None:
    found = plan([want("head", 4, 3)], bookings=[booked("class", 2, 4, 1)], rules=EASY)
    assert found.head is not None
    assert found.head.at == NOW + hours(4)
    assert plan([want("head", 4, 2)], bookings=[booked("class", 2, 4, 1)], rules=EASY).starts


def test_booked_slots_are_for_those_they_are_booked_for() -> None:
    bookings = [booked("class", 0, 2, 4, by="z")]
    waiting = [want("other", 1, 1, waited=1, by="b"), want("seat", 1, 2, by="z")]
    assert started(plan(waiting, bookings=bookings)) == ["seat"]


def test_booked_slots_nobody_comes_for_are_everybodys() -> None:
    bookings = [booked("class", 0, 2, 4)]
    assert started(plan([want("other")], bookings=bookings, after=0.24)) == []
    assert started(plan([want("other")], bookings=bookings, after=0.25)) == ["other"]
    seat = has("z", [0], 2, since=0.1, booking="class")
    assert started(plan([want("other")], bookings=bookings, after=0.25, taken=[seat])) == []


def test_without_enough_healthy_slots_waiting_is_for_the_admin() -> None:
    found = plan([want("whole", 4, waited=1), want("small")], ill=[2], rules=EASY)
    assert started(found) == ["small"]
    assert found.reasons == {"whole": Why.QUARANTINE}


def test_a_slot_nobody_knows_the_end_of_promises_nothing() -> None:
    found = plan([want("head", 4, waited=1), want("small", 1, 50)], taken=[has("b", [0], None)], rules=EASY)
    assert started(found) == ["small"]
    assert found.head is None


def test_a_request_without_an_end_passes_nobody() -> None:
    waiting = [want("head", 4, waited=1), want("endless", 1, None)]
    assert started(plan(waiting, taken=[has("b", [0], 1)], rules=EASY)) == []


def test_an_overdue_slot_is_expected_any_moment() -> None:
    found = plan([want("head", 4, waited=1)], taken=[has("b", [0], -1)], rules=EASY)
    assert found.head is not None
    assert found.head.at == NOW


def test_everybody_is_started_or_told_why() -> None:
    waiting = [want(f"r{number}", 1, 1 + number % 5, waited=number, by="abcdefg"[number % 7]) for number in range(60)]
    found = plan(waiting, size=16)
    assert len(found.starts) == 16
    assert len(found.order) == 44
    assert set(found.reasons) == set(found.order)


def test_seats_of_a_class_are_not_taken_early_by_one_of_it() -> None:
    early = [want("early", 1, 3, by="a")]
    class_ = replace(booked("class", 1, 2, 4), uids=frozenset({who("a").uid, who("b").uid}))
    assert started(plan(early, bookings=[class_])) == []
    assert started(plan(early, bookings=[class_], after=1)) == ["early"]
    alone = booked("mine", 1, 2, 4, by="a")
    assert started(plan(early, bookings=[alone])) == []
    assert started(plan(early, bookings=[alone], after=1)) == ["early"]


@pytest.mark.parametrize("patience", [24, 10_000])
def test_endless_short_requests_do_not_pass_a_single_one_for_ever(patience: float) -> None:
    """Twice as many ten-minute requests come as the one GPU can serve, all of people who had nothing yet. Who asked for
    eight hours gets her turn after a day; without patience she never would.
    """
    rules = Rules(patience=hours(patience))
    long = want("long", length=8, by="a")
    waiting, kept, started = [long], None, None
    for number in range(6 * 30):
        at = number / 6
        waiting += [
            replace(want(f"s{number}-{one}", length=1 / 6, by="b"), submitted_at=NOW + hours(at)) for one in "xy"
        ]
        found = plan(waiting, size=1, rules=rules, kept=kept, after=at, a=member(used=1000))
        kept = found.head.request if found.head else None
        gone = {start.request for start in found.starts}
        waiting = [one for one in waiting if one.id not in gone]
        if "long" in gone:
            started = at
            break
    assert (started is None) == (patience > 24)
    assert started is None or 24 <= started <= 24 + 1 / 6


@pytest.mark.parametrize("rules", [FIFO, EASY])
def test_in_order_of_arrival_a_former_head_has_no_right_before_who_came_first(rules: Rules) -> None:
    """The clock was set back, and somebody came before the one that was next: her quota is not kept for that one."""
    waiting = [want("first", waited=2), want("whole", 4, waited=1)]
    assert started(plan(waiting, kept="whole", rules=rules, a=member(quota=4))) == ["first"]


@pytest.mark.parametrize("rules", [EASY, FAIR])
def test_the_quota_of_who_is_next_is_not_taken_by_her_own_later_request(rules: Rules) -> None:
    """It would end in time, but what is kept for it after its end may count for her still."""
    bookings = [booked("class", 1, 2)]
    waiting = [want("next", 1, 3, waited=3), want("other", 1, 1)]
    found = plan(waiting, 1, bookings=bookings, rules=rules, a=member(quota=1))
    assert started(found) == []
    assert found.head is not None
    assert (found.head.request, found.head.at) == ("next", NOW + hours(2))
    assert found.reasons == {"next": Why.BOOKING, "other": Why.QUOTA}


def test_what_is_kept_for_who_is_next_pays_for_no_larger_slot_than_need_be() -> None:
    """Any slot would do for the second. What is free is a whole GPU: with it she could not have what is next."""
    server = slots(gpu(0), gpu(1, parts=("3g.20gb", "2g.10gb")))
    parts = [has("b", [], 2)._replace(slots=(slot.id,)) for slot in server if not slot.whole]
    waiting = [want("next", profile="3g.20gb", waited=3), want("any")]
    members = {who("a"): member(quota=1), who("b"): member()}
    found = decide(waiting, Server(slots=server, taken=tuple(parts)), members, NOW, EASY)
    assert started(found) == []
    assert found.reasons == {"next": Why.FULL, "any": Why.QUOTA}


def test_fifo_promises_no_time_behind_one_who_cannot_be_served() -> None:
    waiting = [want("whole", 4, waited=2), want("two", 2, waited=1, by="b"), want("one", by="c")]
    found = plan(waiting, taken=[has("d", [1, 2], 1)], ill=[0], rules=FIFO)
    assert started(found) == []
    assert found.head is None
    assert found.reasons == {"whole": Why.QUARANTINE, "two": Why.FAIR_SHARE, "one": Why.FAIR_SHARE}


def test_what_the_head_needs_no_more_is_anybodys_in_the_same_pass() -> None:
    """GPU 1 is kept for the head, and the first goes to GPU 0 for as long: then the head may do with that instead."""
    taken = [has("b", [2, 3], 2)]
    waiting = [want("head", 3, waited=3), want("first", 1, 1.9, waited=2), want("second", 1, 9, waited=1)]
    found = plan(waiting, 4, taken, rules=EASY)
    assert started(found) == ["first", "second"]
    assert found.head is not None
    assert (found.head.at, set(found.head.slots)) == (NOW + hours(2), {"GPU-0", "GPU-2", "GPU-3"})


@pytest.mark.parametrize("rules", [FIFO, EASY, Rules(guard=0.0)])
def test_a_time_is_given_on_slots_she_can_pay_for_whatever_becomes_of_what_she_holds(rules: Rules) -> None:
    """Two whole GPUs are hers in an hour if her own is given back then; it may be held longer. Two parts: in two."""
    server = slots(gpu(0), gpu(1, parts=("3g.20gb", "2g.10gb")), gpu(2))
    parts = [has("b", [], 2)._replace(slots=(slot.id,)) for slot in server if not slot.whole]
    members = {who("a"): member(quota=2), who("b"): member()}
    seen = Server(slots=server, taken=(has("a", [0], 1), *parts))
    found = decide([want("two", 2, waited=3)], seen, members, NOW, rules)
    assert found.head is not None
    assert (found.head.at, set(found.head.slots)) == (NOW + hours(2), {"MIG-1-0", "MIG-1-1"})
