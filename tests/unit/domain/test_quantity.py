"""Quantities as people write them."""

from datetime import timedelta

import pytest

from ds01.domain import quantity


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("24h", 86400), ("1h30m", 5400), ("7d", 604800), ("0.5h", 1800)]
)
def test_durations_are_read_as_written(text: str, seconds: int) -> None:
    assert quantity.duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "30", "m", "30 m", "-1h", "1y"])
def test_what_is_no_duration_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="30m, 24h"):
        quantity.duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("512M", 512 * 1024**2), ("32G", 32 * 1024**3), ("1.5g", 3 * 512 * 1024**2), ("10", 10)]
)
def test_sizes_are_powers_of_1024(text: str, size: int) -> None:
    assert quantity.size(text) == size


def test_values_are_shown_as_they_are_written() -> None:
    assert quantity.show_duration(timedelta(hours=1, minutes=30)) == "1h30m"
    assert quantity.show_duration(None) == "no limit"
    assert quantity.show_size(3 * 512 * 1024**2) == "1.5G"
