"""Replays of schedules worked out by hand, and the figures of the first of them.

A job is written ``name at+length*gpus``; what is expected is when each one started.
"""

from __future__ import annotations

import re
from datetime import timedelta
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds01.domain.queue.floor import WHOLE
from ds01.domain.queue.plan import Order, Rules
from ds01.simulate.measure import jain, report
from ds01.simulate.replay import Estimates, Replayed, Terms, replay
from ds01.simulate.trace import Job

_JOB = re.compile(r"(?P<user>[a-z])(?P<number>\d*) (?P<at>\d+)\+(?P<length>\d+)\*(?P<gpus>[\d.]+)(?:/(?P<asked>\d+))?")


def jobs(text: str) -> list[Job]:
    found = []
    for part in text.split(", "):
        match = _JOB.fullmatch(part)
        assert match, part
        gpus = float(match["gpus"])
        found.append(
            Job(
                id=match["user"] + match["number"], user=match["user"], submit=float(match["at"]),
                duration=float(match["length"]), slots=max(1, int(gpus)),
                amount=WHOLE if gpus >= 1 else round(gpus * WHOLE),
                asked=None if match["asked"] is None else float(match["asked"]),
            )
        )  # fmt: skip
    return sorted(found, key=lambda job: job.submit)


def ran(
    text: str, gpus: int, order: Order, estimates: Estimates = Estimates.EXACT, terms: dict[str, Terms] | None = None,
    guard: float | None = 4.0,
) -> Replayed:  # fmt: skip
    return replay(jobs(text), gpus, Rules(order=order, guard=guard), estimates=estimates, terms=terms)


def starts(found: Replayed) -> dict[str, float]:
    return {one.job.id: one.start for one in found.outcomes}


LARGE_IN_THE_MIDDLE = "a 0+10*1, b 1+10*2, c 2+7*1, d 3+20*1"
"""Two GPUs: b needs both, which are back at 10; c would be done by then, d would not."""


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.FIFO, {"a": 0, "b": 10, "c": 20, "d": 20}),
        (Order.FIFO_SKIP, {"a": 0, "b": 29, "c": 2, "d": 9}),
        (Order.EASY, {"a": 0, "b": 10, "c": 2, "d": 20}),
    ],
)
def test_one_large_among_small_ones(order: Order, expected: dict[str, float]) -> None:
    assert starts(ran(LARGE_IN_THE_MIDDLE, 2, order)) == expected


def test_easy_gives_what_the_head_does_not_need() -> None:
    """Four GPUs, two back at 10: the head needs three, so one may be had for as long as one likes."""
    found = ran("a 0+10*2, b 1+5*3, c 2+100*1, d 3+100*1", 4, Order.EASY)
    assert starts(found) == {"a": 0, "b": 10, "c": 2, "d": 15}


def test_easy_uses_a_hole_twice() -> None:
    found = ran("a 0+10*1, b 1+10*2, c 2+4*1, d 3+4*1, e 4+4*1", 2, Order.EASY)
    assert starts(found) == {"a": 0, "b": 10, "c": 2, "d": 6, "e": 20}


def test_easy_with_a_run_that_ends_early_moves_up() -> None:
    """a asked for 30 and used 10: b may start at once, and c, which would have filled the hole, waits for it."""
    found = ran("a 0+10*1/30, b 1+10*2/10, c 12+15*1/15", 2, Order.EASY, Estimates.USER)
    assert starts(found) == {"a": 0, "b": 10, "c": 20}


def test_easy_does_not_believe_in_a_run_that_asked_for_too_much() -> None:
    found = ran("a 0+10*1/10, b 1+10*2/10, c 2+2*1/20", 2, Order.EASY, Estimates.USER)
    assert starts(found) == {"a": 0, "b": 10, "c": 20}


def test_what_asked_for_too_little_is_stopped() -> None:
    found = ran("a 0+10*1/4, b 1+5*1/5", 1, Order.EASY, Estimates.USER)
    assert starts(found) == {"a": 0, "b": 4}
    assert found.cut == 1


def test_without_an_asked_time_people_ask_for_a_round_one() -> None:
    """20 minutes of work: asked for an hour, so it does not fit the hole of 50 minutes."""
    found = ran("a 0+3000*1/3000, b 1+600*2/600, c 2+1200*1", 2, Order.EASY, Estimates.USER)
    assert starts(found) == {"a": 0, "b": 3000, "c": 3600}


def test_parts_share_the_fullest_gpu_that_has_room() -> None:
    found = ran("a 0+9*0.5, b 1+9*0.25, c 2+9*1, d 3+9*0.25, e 4+9*0.46", 2, Order.FIFO)
    assert starts(found) == {"a": 0, "b": 1, "c": 2, "d": 3, "e": 9}
    slots = {one.job.id: one.slots for one in found.outcomes}
    assert slots["a"] == slots["b"] == slots["d"] == slots["e"] != slots["c"]


def test_a_part_that_is_next_is_not_delayed_by_another_part() -> None:
    """b needs 0.8 at 10; what is left of that GPU then is 0.2, which c may have for long and d, with 0.3, may not."""
    found = ran("a 0+10*0.6, b 1+5*0.8, c 2+50*0.2, d 3+50*0.3", 1, Order.EASY)
    assert starts(found) == {"a": 0, "b": 10, "c": 2, "d": 15}


def test_all_that_happens_at_one_moment_happens_together() -> None:
    """At 10 a GPU is back and two come: the order of arrival decides, not the order of events."""
    assert starts(ran("a 0+10*1, b 10+5*1, c 5+5*1", 1, Order.FIFO)) == {"a": 0, "c": 10, "b": 15}


def test_fair_share_lets_who_had_nothing_pass() -> None:
    found = ran("a1 0+100*1, a2 1+100*1, a3 2+100*1, b 50+100*1", 1, Order.FAIR_SHARE)
    assert starts(found) == {"a1": 0, "b": 100, "a2": 200, "a3": 300}


def test_a_quota_makes_one_wait_for_oneself_only() -> None:
    terms = {"a": Terms(quota=1)}
    found = ran("a1 0+100*1, a2 1+100*1, b 2+100*1", 2, Order.FAIR_SHARE, terms=terms)
    assert starts(found) == {"a1": 0, "b": 2, "a2": 100}


def test_what_can_never_run_is_left_out() -> None:
    terms = {"a": Terms(quota=2, runtime=50), "b": Terms(per_job=1)}
    found = ran("a1 0+100*2, a2 1+100*3, b 2+100*2, c 3+9*9", 4, Order.EASY, terms=terms)
    assert starts(found) == {"a1": 0}
    assert [job.id for job in found.refused] == ["a2", "b", "c"]
    assert found.outcomes[0].end == 50


def test_many_for_one_get_their_turn_before_endless_small_ones() -> None:
    """Small ones of 10 come every 4: both GPUs are never free at once, unless somebody sees to it."""
    small = ", ".join(f"{'bc'[number % 2]}{number} {number * 4}+10*1" for number in range(200))
    waits = {}
    for guard in (0.0, 4.0, 16.0, None):
        found = ran(f"a 6+10*2, {small}", 2, Order.FAIR_SHARE, guard=guard)
        waits[guard] = starts(found)["a"] - 6
    assert waits[0.0] <= 10
    assert waits[0.0] < waits[4.0] < waits[16.0] <= 16 * (10 + 10) + 2 * 10 < waits[None]


@settings(max_examples=30, deadline=None)
@given(
    gap=st.integers(1, 12), longest=st.integers(5, 40), own=st.integers(1, 30), guard=st.sampled_from([0.0, 1.0, 3.0]),
    count=st.integers(50, 400),
)  # fmt: skip
def test_the_wait_of_a_whole_server_request_is_bounded_however_many_small_ones_come(
    gap: int, longest: int, own: int, guard: float, count: int
) -> None:
    """guard x (longest + own) until she is given a time, then at most the longest run: see scheduling.md."""
    small = ", ".join(f"{'bcd'[n % 3]}{n} {n * gap}+{1 + n * 7 % longest}*1" for n in range(count))
    found = ran(f"a 3+{own}*4, {small}", 4, Order.FAIR_SHARE, guard=guard)
    assert starts(found)["a"] - 3 <= guard * (longest + own) + longest + gap


def test_the_figures_are_those_of_the_textbook() -> None:
    view = report(ran(LARGE_IN_THE_MIDDLE, 2, Order.EASY), trace="t", policy="easy", estimates="exact")
    assert (view.jobs, view.users) == (4, 4)
    assert view.wait_mean == (0 + 9 + 0 + 17) / 4
    assert view.wait_median == (0 + 9) / 2
    assert view.wait_longest == 17
    assert view.slowdown_mean == pytest.approx((1 + 19 / 10 + 1 + 37 / 20) / 4)
    assert view.utilisation == pytest.approx((10 + 20 + 7 + 20) / (2 * 40))
    assert view.utilisation_arrivals == pytest.approx((3 + 1) / (2 * 3))
    assert (view.whole_server_jobs, view.whole_server_longest) == (1, 9)


def test_a_run_shorter_than_ten_seconds_counts_as_ten() -> None:
    view = report(ran("a 0+90*1, b 0+1*1", 1, Order.FIFO), trace="t", policy="fifo", estimates="exact")
    assert view.slowdown_mean == pytest.approx((1 + 91 / 10) / 2)


def test_jains_index() -> None:
    assert jain([1, 1, 1]) == 1
    assert jain([1, 0, 0, 0]) == 0.25


def test_ranges_hold_for_nine_of_ten_once_something_is_known() -> None:
    text = ", ".join(f"{'abcd'[n % 4]}{n} {n * 9 + n * n % 7}+{5 + n * 37 % 60}*1" for n in range(1200))
    found = replay(jobs(text), 4, Rules(), asked_every=1)
    view = report(found, trace="t", policy="fairshare", estimates="exact")
    assert view.eta_asked > 300
    assert view.eta_inside is not None
    assert view.eta_inside >= 0.8


def test_years_of_usage_stay_numbers() -> None:
    text = ", ".join(f"{'ab'[n % 2]}{n} {n * 400_000}+300000*1" for n in range(60))
    found = replay(jobs(text), 1, Rules(half_life=timedelta(hours=1)))
    assert len(found.outcomes) == 60
    assert max(one.end for one in found.outcomes) < inf
