"""The engine's times, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ds01.domain.moment import moment


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-03-02T10:00:00.123456789Z", datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-02T12:00:00.5+02:00", datetime(2026, 3, 2, 10, 0, 0, 500000, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
    ],
)
def test_a_time_of_the_engine(text: str, found: datetime | None) -> None:
    assert moment(text) == found
