"""Times as people write them, on the clock on the server's wall."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.bookings.when import day, moment, weekly

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
"""A Tuesday, half past nine in Berlin."""


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Tue 10:00", "2026-03-10 10:00"), ("tuesday 9:00", "2026-03-17 09:00"), ("Mon 10:00", "2026-03-16 10:00"),
        ("10:00", "2026-03-10 10:00"), ("9:00", "2026-03-11 09:00"), ("tomorrow 14:00", "2026-03-11 14:00"),
        ("today 14:00", "2026-03-10 14:00"), ("2026-12-01 10:00", "2026-12-01 10:00"),
        ("2026-12-01T10:00", "2026-12-01 10:00"), ("2026-12-01T10:00Z", "2026-12-01 11:00"),
        ("in 2h", "2026-03-10 11:30"), ("now", "2026-03-10 09:30"), ("Tue, 24:00", "2026-03-11 00:00"),
        ("2026-10-25 02:30", "2026-10-25 02:30"),
    ],
)  # fmt: skip
def test_what_is_typed_is_what_is_meant(text: str, meant: str) -> None:
    found = moment(text, NOW, BERLIN)
    assert f"{found.astimezone(BERLIN):%Y-%m-%d %H:%M}" == meant
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no time"), ("soon", "no time of day"), ("Tue", "no time of day"), ("25:00", "no time of day"),
        ("24:30", "no time of day"), ("2026-02-30 10:00", "There is no"), ("2026-03-29 02:30", "put forward"),
        ("tu 10:00", "no date"), ("in later", "no duration"), ("Tue 10:00 12:00", "no time"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_time_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        moment(text, NOW, BERLIN)


def test_dates() -> None:
    assert day("2026-12-18", NOW, BERLIN) == date(2026, 12, 18)
    assert day("tomorrow", NOW, BERLIN) == date(2026, 3, 11)
    for wrong in ("18.12.2026", "2026-13-01", ""):
        with pytest.raises(ValueError):
            day(wrong, NOW, BERLIN)


@given(
    st.integers(0, 6 * 365 * 24 * 4), st.integers(0, 60),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
)  # fmt: skip
def test_weekly_is_the_same_time_on_the_wall(quarters: int, weeks: int, zone: str) -> None:
    """On every date; where the clock jumps over it, it is moved by that jump and no more."""
    here = ZoneInfo(zone)
    begin = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * quarters)
    first = begin.astimezone(here)
    dates = weekly(begin, first.date() + timedelta(days=7 * weeks), here)
    assert len(dates) == weeks + 1
    for week, at in enumerate(dates):
        shown = at.astimezone(here)
        expected = first.replace(tzinfo=None) + timedelta(days=7 * week)
        assert abs(shown.replace(tzinfo=None) - expected) <= timedelta(hours=1)
        exists = expected.replace(tzinfo=here).astimezone(UTC).astimezone(here).replace(tzinfo=None) == expected
        assert not exists or shown.replace(tzinfo=None) == expected
