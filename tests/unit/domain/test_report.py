"""A month has the days it has, and waits are told as they were."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.report import Waits, month, waits


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2026-11", date(2026, 11, 1), date(2026, 12, 1)),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1)),
        ("2028-02", date(2028, 2, 1), date(2028, 3, 1)),
    ],
)
def test_a_month_is_from_its_first_day_to_the_next_ones(text: str, first: date, after: date) -> None:
    found = month(text)
    assert (found.first, found.after, found.name) == (first, after, text)


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-00", "2026-1", "november", "2026-11-01", "0001-01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        month(text)


@given(st.dates(date(2001, 1, 1), date(2100, 1, 1)), st.times())
def test_every_moment_is_in_exactly_its_month(day: date, hour: time) -> None:
    at = datetime.combine(day, hour, tzinfo=UTC)
    found = month(f"{at:%Y-%m}")
    assert found.has(at)
    assert not month(f"{found.after:%Y-%m}").has(at)
    assert timedelta(0) <= found.passed(at) <= found.end - found.begin
    assert found.passed(found.end) == found.passed(found.end + timedelta(days=400)) == found.end - found.begin


def test_waits() -> None:
    assert waits([]) == Waits()
    minutes = [timedelta(minutes=each) for each in (1, 30, 2)]
    assert waits(minutes) == Waits(count=3, median=timedelta(minutes=2), longest=timedelta(minutes=30))
