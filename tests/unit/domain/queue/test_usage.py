"""Usage: what a second counts, and that keeping it up often or seldom gives the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.queue.usage import HALF_LIFE, Share, Usage, factor, integral, parts
from tests.values import NOW

NONE = Usage(seconds=0.0, at=NOW)
DAY = timedelta(days=1)


def test_a_second_counts_half_after_a_half_life() -> None:
    assert Usage(seconds=100.0, at=NOW).by(NOW + HALF_LIFE).seconds == pytest.approx(50)
    assert Usage(seconds=100.0, at=NOW).by(NOW + 3 * HALF_LIFE).seconds == pytest.approx(12.5)


def test_a_short_use_counts_as_long_as_it_was() -> None:
    assert NONE.plus(2, NOW, NOW + timedelta(seconds=10)).seconds == pytest.approx(20, rel=1e-4)


def test_an_endless_use_of_one_gpu_counts_no_more_than_a_half_life_over_ln_2() -> None:
    assert integral(100 * HALF_LIFE) == pytest.approx(HALF_LIFE.total_seconds() / 0.6931471805599453)


@given(st.lists(st.floats(0.001, 400), min_size=1, max_size=12), st.floats(0.1, 16))
def test_kept_up_in_steps_or_at_once_is_the_same(steps: list[float], gpueq: float) -> None:
    usage, since = NONE, NOW
    for hours in steps:
        usage, since = usage.plus(gpueq, since, since + timedelta(hours=hours)), since + timedelta(hours=hours)
    assert usage.seconds == pytest.approx(NONE.plus(gpueq, NOW, since).seconds, rel=1e-6)


def test_use_that_ended_before_the_last_look_is_still_counted() -> None:
    late = Usage(seconds=0.0, at=NOW + HALF_LIFE).plus(1, NOW - DAY, NOW)
    assert late.at == NOW + HALF_LIFE
    assert late.seconds == pytest.approx(integral(DAY) / 2)


def test_a_clock_set_back_forgets_nothing_and_adds_nothing() -> None:
    usage = Usage(seconds=100.0, at=NOW)
    assert usage.by(NOW - DAY) == usage
    assert usage.plus(1, NOW, NOW - DAY) == usage


def test_parts_are_of_the_group_and_of_its_members() -> None:
    shares = {
        "anna": Share(group="students", of_group=1, group_shares=1),
        "ben": Share(group="students", of_group=3, group_shares=1),
        "prof": Share(group="faculty", of_group=1, group_shares=3),
    }
    assert parts(shares) == {"anna": pytest.approx(1 / 16), "ben": pytest.approx(3 / 16), "prof": pytest.approx(3 / 4)}


def test_who_has_no_share_comes_last() -> None:
    assert factor(0, 10, 0.0) == 0
    assert factor(0, 10, 0.5) == 1
    assert factor(5, 10, 0.5) == pytest.approx(0.5)
    assert factor(10, 10, 0.5) == pytest.approx(0.25)
    assert factor(0, 0, 0.5) == 1
