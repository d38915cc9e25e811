"""Bookings beside a trace: what is read, what is refused, and schedules with them worked out by hand.

Jobs are written as in ``test_replay``, bookings ``name:users begin+length*gpus``.
"""

from __future__ import annotations

import re
from math import inf

import pytest

from ds01.domain.errors import BAD_REQUEST, BAD_TRACE, Ds01Error
from ds01.domain.queue.plan import Order, Rules
from ds01.simulate.booked import Booked, places, read
from ds01.simulate.measure import report
from ds01.simulate.replay import Estimates, Replayed, Terms, replay
from tests.unit.simulate.test_replay import jobs, starts

HEADING = "booking_id,users,begin_s,duration_s,gpus"
WEEK = 7 * 86400
_BOOKED = re.compile(r"(\w+):(\w*) (\d+)\+(\d+)\*(\d+)(?:!(\d+))?")


def booked(text: str) -> list[Booked]:
    found = []
    for part in text.split(", "):
        match = _BOOKED.fullmatch(part)
        assert match, part
        name, users, begin, length, gpus, keep = match.groups()
        found.append(
            Booked(
                id=name, gpus=int(gpus), begin=float(begin), end=float(begin) + float(length), users=frozenset(users),
                keep=None if keep is None else float(keep),
            )
        )  # fmt: skip
    return found


def ran(
    text: str, gpus: int, bookings: str, order: Order = Order.EASY, terms: dict[str, Terms] | None = None
) -> Replayed:
    return replay(jobs(text), gpus, Rules(order=order), terms=terms, booked=booked(bookings))


def refused(*lines: str) -> str:
    with pytest.raises(Ds01Error) as caught:
        read(lines)
    assert caught.value.kind is BAD_TRACE
    return caught.value.problem.reason


# reading ----------------------------------------------------------------------------------------------------
def test_a_booking_is_read_with_its_users_and_its_weeks() -> None:
    class_, own = read([HEADING + ",weeks,keep_s", "class,anna  ben,3600,7200,4,1,60", "", "own,carl,0,60,1,,"])
    assert class_ == Booked(
        id="class", gpus=4, begin=3600, end=10800, users=frozenset({"anna", "ben"}), keep=60
    )  # fmt: skip
    assert (own.users, own.keep) == (frozenset({"carl"}), None)
    weekly = read([HEADING + ",weeks", "class,anna,10,20,1,3"])
    assert [(date.begin, date.end) for date in weekly] == [(10 + n * WEEK, 30 + n * WEEK) for n in range(3)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a,anna,0,1", "line 2: 4 values, and the heading has 5"),
        ("a,,0,1,1", "line 2: users is empty"),
        (",anna,0,1,1", "line 2: booking_id is empty"),
        ("a,anna,ten,1,1", "line 2: begin_s is 'ten', which is no number"),
        ("a,anna,0,0,1", "line 2: duration_s is 0; it must be more"),
        ("a,anna,0,1,0.5", "line 2: gpus is 0.5; it must be a whole number from 1 to 100000"),
        ("a,anna,0,1,0", "line 2: gpus is 0; it must be a whole number from 1 to 100000"),
    ],
)
def test_a_wrong_line_is_named(line: str, said: str) -> None:
    assert refused(HEADING, line) == said


def test_the_rest_that_can_be_wrong_is_named_too() -> None:
    assert refused("booking_id,begin_s", "a,0") == "line 1: the heading has no users, duration_s, gpus"
    assert refused(HEADING) == "line 2: there are no bookings"
    assert refused(HEADING, "a,anna,0,1,1", "a,ben,5,1,1") == "line 3: booking_id a is that of line 2 too"
    assert "weeks is 521; it must be a whole number from 1 to 520" in refused(HEADING + ",weeks", "a,anna,0,1,1,521")


def test_each_has_gpus_of_its_own_and_those_that_touch_may_share() -> None:
    first, second, third = places(booked("x:a 0+10*2, y:b 5+10*2, z:c 10+10*2"), 4)
    assert not {*first} & {*second}
    assert not {*second} & {*third}


@pytest.mark.parametrize(
    ("bookings", "reason"),
    [
        ("x:a 0+10*2, lab:b 7200+10*3", "lab needs 3, 2h from the begin"),
        ("x:a 0+10*1, lab:b 5+10*2", "lab needs 2, 5s from the begin, and x has others then"),
    ],
)
def test_what_cannot_be_had_together_is_refused(bookings: str, reason: str) -> None:
    with pytest.raises(Ds01Error) as caught:
        ran("a 0+10*1", 2, bookings)
    assert caught.value.kind is BAD_REQUEST
    assert caught.value.problem.message == "The bookings cannot all be had on 2 GPUs."
    assert caught.value.problem.reason == reason


# replaying --------------------------------------------------------------------------------------------------
def test_nobody_starts_who_would_not_be_done_before_it_begins() -> None:
    """One GPU, booked from 100 to 200: a's run of 150 waits for the end, b's of 90 is done before."""
    found = ran("a 0+150*1, b 5+90*1, c 110+20*1", 1, "lab:c 100+100*1!200")
    assert starts(found) == {"a": 200, "b": 5, "c": 110}


def test_what_is_booked_is_hers_at_once_past_the_queue_and_beside_her_quota() -> None:
    """c may have one GPU and has it: her part of the booking comes on top, and a, who waits longer, waits on."""
    terms = {"c": Terms(quota=1)}
    found = ran("c1 0+500*1, a 50+300*1, c2 110+30*1", 2, "lab:c 100+100*1!200", terms=terms)
    assert starts(found) == {"c1": 0, "c2": 110, "a": 200}


def test_what_runs_on_a_booking_ends_with_it_and_counts_for_no_quota() -> None:
    terms = {"c": Terms(quota=1)}
    found = ran("c1 110+30*1, c2 150+400*1, c3 210+10*1", 2, "lab:c 100+100*1!200", terms=terms)
    assert starts(found) == {"c1": 110, "c2": 150, "c3": 210}
    (own,) = [one for one in found.outcomes if one.job.id == "c2"]
    assert own.date is not None
    assert (own.end, found.cut) == (200, 1)


def test_who_waits_when_it_begins_starts_then() -> None:
    found = ran("a 0+1000*1, b 0+1000*1, c 5+20*1", 2, "lab:c 50+100*1")
    assert starts(found) == {"a": 0, "b": 150, "c": 5}
    found = ran("a 0+1000*1, b 0+50*1, c 5+90*1", 2, "lab:c 50+100*1")
    assert starts(found) == {"a": 0, "b": 0, "c": 50}


def test_what_nobody_comes_for_goes_back_after_a_while() -> None:
    """Two GPUs for 10,000 s; c uses one, for 1,000. The other is back after 15 minutes, and hers 15 after she left."""
    found = ran("c 60+1000*1, a 70+20000*1, b 80+20000*1", 2, "lab:c 0+10000*2")
    assert starts(found) == {"c": 60, "a": 900, "b": 1060 + 900}
    view = report(found, trace="t", policy="easy", estimates="exact")
    assert view.booked is not None
    assert (view.booked.dates, view.booked.gpu_seconds, view.booked.jobs) == (1, 20000, 1)
    assert view.booked.used == pytest.approx(1000 / 20000)
    assert view.booked.back == pytest.approx((9100 + 8040) / 20000)
    assert view.booked.wait_mean == 0


def test_who_comes_back_in_time_finds_it_kept() -> None:
    found = ran("c1 0+100*1, a 50+9000*1, c2 900+100*1", 1, "lab:c 0+2000*1")
    assert starts(found) == {"c1": 0, "c2": 900, "a": 1900}


def test_a_booking_for_nobody_of_the_trace_is_counted() -> None:
    found = ran("a 0+10*1", 1, "lab:x 100+50*1")
    view = report(found, trace="t", policy="easy", estimates="exact")
    assert view.booked is not None
    assert (view.booked.absent, view.booked.jobs, view.booked.wait_mean) == (1, 0, None)
    assert report(ran("a 0+10*1", 1, "lab:a 100+50*1"), trace="t", policy="", estimates="").booked is not None
    assert report(replay(jobs("a 0+10*1"), 1, Rules()), trace="t", policy="", estimates="").booked is None


def test_parts_of_a_gpu_share_what_is_booked() -> None:
    found = ran("c 10+500*0.5, d 10+500*0.5, a 0+600*1", 1, "lab:cd 10+1000*1")
    assert starts(found) == {"c": 10, "d": 10, "a": 1010}


def test_a_whole_server_request_waits_for_the_end_of_the_bookings_on_it() -> None:
    found = ran("a 10+100*2, b 0+40*1", 2, "lab:b 60+40*1, night:b 130+20*1", order=Order.FAIR_SHARE)
    assert starts(found) == {"b": 0, "a": 150}


def test_all_have_an_end_whatever_was_booked() -> None:
    text = ", ".join(f"{'abcd'[n % 4]}{n} {n * 7}+{20 + n * 13 % 50}*{1 + n % 3}" for n in range(120))
    bookings = ", ".join(f"k{n}:{'abcd'[n % 4]} {n * 90}+40*{1 + n % 3}!{n % 30}" for n in range(30))
    for order in Order:
        for estimates in Estimates:
            found = replay(jobs(text), 4, Rules(order=order), estimates=estimates, booked=booked(bookings))
            assert len(found.outcomes) == 120
            assert all(one.end < inf for one in found.outcomes)
            assert never_too_many(found)


def never_too_many(found: Replayed) -> bool:
    """No GPU has two runs at a time, nor one of somebody else's while it is kept for a date nobody has left."""
    runs = sorted((one.start, one.end, slot) for one in found.outcomes for slot in one.slots)
    last: dict[int, float] = {}
    for start, end, slot in runs:
        if last.get(slot, -inf) > start:
            return False
        last[slot] = end
    kept = [(date, slot) for date in found.dates for slot in date.slots]
    return not any(
        one.start < min(date.span.end, date.span.begin + date.keep) and one.end > date.span.begin
        for date, slot in kept for one in found.outcomes
        if slot in one.slots and one.job.user not in date.booked.users
    )  # fmt: skip
