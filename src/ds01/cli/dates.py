"""Dates of bookings for people: the day, the hours, and of a weekly one how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ds01.cli import show
from ds01.wire.bookings import BookingView


def span(view: BookingView) -> str:
    """``Tue 01 Dec 10:00-12:00``, on the clock on the server's wall."""
    begin, end = datetime.fromisoformat(view.begins_at), datetime.fromisoformat(view.ends_at)
    same = begin.date() == end.date()
    last = f"{end:%H:%M}" if same else f" to {end:%a %d %b %H:%M}"
    return f"{begin:%a %d %b %H:%M}" + (f"-{last}" if same else last)


def day(view: BookingView) -> str:
    """``Tue 01 Dec``."""
    return f"{datetime.fromisoformat(view.begins_at):%a %d %b}"


def series(views: Sequence[BookingView]) -> list[list[BookingView]]:
    """The dates of each booking together, the booking with the next date first."""
    found: dict[str, list[BookingView]] = {}
    for view in views:
        found.setdefault(view.series or view.id, []).append(view)
    return list(found.values())


def more(views: Sequence[BookingView]) -> str:
    """``And 14 weeks more: Tue 08 Dec, Tue 15 Dec and 12 more, the last on Tue 16 Mar.``"""
    days = [day(view) for view in views]
    last = f", the last on {days[-1]}" if len(days) > SHOWN else ""
    return f"And {show.count(len(days), 'week')} more: {show.names(days, most=SHOWN)}{last}."


SHOWN = 4
"""Dates that are listed one by one."""


def weekly(views: Sequence[BookingView]) -> str:
    """``to 15 Dec``; empty for a single date."""
    return f"to {datetime.fromisoformat(views[-1].ends_at):%d %b}" if len(views) > 1 else ""
