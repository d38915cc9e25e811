"""The calendar is one by the judgement of an independent reader."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from ds01.domain.bookings.ical import Entry, calendar

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=200)


def entry(number: int, summary: str, description: str) -> Entry:
    begin = NOW + timedelta(days=number)
    return Entry(
        uid=f"booking-{number}@lab", begins_at=begin, ends_at=begin + timedelta(hours=2), summary=summary,
        description=description, made_at=NOW,
    )  # fmt: skip


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=4), TEXTS)
def test_what_is_written_is_read(texts: list[tuple[str, str]], name: str) -> None:
    entries = [entry(number, *text) for number, text in enumerate(texts)]
    text = calendar(entries, name=name, now=NOW)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    read: Any = Calendar.from_ical(text)
    assert (read["version"], read["calscale"]) == ("2.0", "GREGORIAN")
    events: list[Any] = read.walk("VEVENT")
    assert [str(event["uid"]) for event in events] == [one.uid for one in entries]
    for event, one in zip(events, entries, strict=True):
        assert (event["dtstart"].dt, event["dtend"].dt, event["dtstamp"].dt) == (one.begins_at, one.ends_at, NOW)
        assert str(event["summary"]) == one.summary
        assert str(event.get("description", "")) == one.description


def test_line_ends_in_texts_are_kept() -> None:
    text = calendar([entry(0, "one", "first\nsecond; third, \\n fourth")], name="x", now=NOW)
    read: Any = Calendar.from_ical(text)
    (event,) = read.walk("VEVENT")
    assert str(event["description"]) == "first\nsecond; third, \\n fourth"
