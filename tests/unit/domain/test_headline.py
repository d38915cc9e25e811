"""One line of a notice, as it reads at once, an hour later, the next day, and in a letter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ds01.domain.headline import coming, in_words, lasting, moment, past

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
STOPS, TURN, DONE = (
    "thesis stops {when}, unless it is used",
    "kept for thesis {until}",
    "thesis was stopped {when}: idle",
)


@pytest.mark.parametrize(("before", "reads"), [
    (25 * HOUR, "on Mon 02 Mar at 15:30 CET, in 25 hours"), (12 * HOUR, "on Mon 02 Mar at 15:30 CET, in 12 hours"),
    (11 * HOUR, "at 15:30 CET, in 11 hours"), (15 * MINUTE, "at 15:30 CET, in 15 minutes"),
    (MINUTE / 60, "at 15:30 CET, in 1 second"), (timedelta(0), "at 15:30 CET, any moment now"),
    (-HOUR, "at 15:30 CET, any moment now"),
])  # fmt: skip
def test_f4_how_far_off_it_is_is_told_as_of_when_it_is_read(before: timedelta, reads: str) -> None:
    assert coming(STOPS, AT, AT - before, BERLIN) == f"thesis stops {reads}, unless it is used"


def test_what_lies_until_it_is_opened_names_the_day_and_no_distance() -> None:
    assert lasting(STOPS, AT, BERLIN) == "thesis stops on Mon 02 Mar at 15:30 CET, unless it is used"
    assert lasting(TURN, AT, BERLIN) == "kept for thesis until Mon 02 Mar 15:30 CET"
    assert lasting(DONE, AT, UTC) == "thesis was stopped on Mon 02 Mar at 14:30 UTC: idle"


@pytest.mark.parametrize(("after", "reads"), [
    (timedelta(0), "at 15:30 CET"), (8 * HOUR, "at 15:30 CET"), (9 * HOUR, "on Mon 02 Mar at 15:30 CET"),
    (3 * DAY, "on Mon 02 Mar at 15:30 CET"),
])  # fmt: skip
def test_what_was_done_says_the_day_once_it_is_over(after: timedelta, reads: str) -> None:
    assert past(DONE, AT, AT + after, BERLIN) == f"thesis was stopped {reads}: idle"


def test_a_turn_says_the_day_when_it_ends_tomorrow() -> None:
    assert coming(TURN, AT, AT - HOUR, BERLIN) == "kept for thesis until 15:30 CET"
    assert coming(TURN, AT, AT - DAY, BERLIN) == "kept for thesis until Mon 02 Mar 15:30 CET"
    assert moment(AT, AT - DAY, BERLIN) == "Mon 02 Mar 15:30 CET"


def test_a_night_in_which_the_clocks_are_set_forward_is_an_hour_shorter() -> None:
    morning = datetime(2026, 3, 29, 6, 0, tzinfo=BERLIN)
    assert coming(STOPS, morning, datetime(2026, 3, 29, 1, 0, tzinfo=BERLIN), BERLIN) == (
        "thesis stops at 06:00 CEST, in 4 hours, unless it is used"
    )


def test_what_has_no_moment_in_it_stays_as_it_is() -> None:
    assert {show("the GPU of thesis failed", AT, AT, UTC) for show in (coming, past)} == {"the GPU of thesis failed"}
    assert lasting("the GPU of thesis failed", AT, UTC) == "the GPU of thesis failed"


@pytest.mark.parametrize(("value", "words"), [
    (40 * MINUTE / 60, "40 seconds"), (MINUTE, "1 minute"), (2 * MINUTE, "2 minutes"), (119 * MINUTE, "119 minutes"),
    (2 * HOUR, "2 hours"), (47 * HOUR, "47 hours"), (3 * DAY, "3 days"),
])  # fmt: skip
def test_lengths_in_words(value: timedelta, words: str) -> None:
    assert in_words(value) == words
