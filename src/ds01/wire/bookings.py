"""Bookings on the wire. Times are ISO 8601 with the offset of the server's zone: people mean the clock on its wall."""

from __future__ import annotations

from ds01.domain.record import record


@record
class BookRequest:
    """What somebody wants to book, in the words she typed: ds01d reads times in the server's zone."""

    begins: str
    """``Tue 10:00``, ``tomorrow 14:00``, ``2026-12-01 10:00``, ``in 2h``."""
    length_seconds: int | None = None
    """How long; else ``ends``."""
    ends: str = ""
    """A time of day or a full time."""
    gpus: str = "1"
    """What ``--gpus`` takes."""
    count: int = 1
    """How many of a profile."""
    memory_bytes: int = 0
    name: str = ""
    group: str = ""
    """For everybody of this group of the server."""
    until: str = ""
    """Week by week up to this date."""
    check_only: bool = False
    """Say whether it would be possible; book nothing."""


@record
class BookingView:
    """One date of a booking."""

    id: str
    name: str
    owner: str
    kind: str
    """``own``, ``group`` or ``class``."""
    people: str
    """For whom: a login, the group, or how many people."""
    asked: str
    """What is booked, in words: ``2 GPUs``, ``30 x 1g.10gb``."""
    begins_at: str
    ends_at: str
    state: str
    """``booked``, ``on``, ``over``, ``released`` (nobody came) or ``cancelled``."""
    series: str = ""
    """What the dates of a weekly booking have in common."""
    kept: int = 0
    """How many GPUs are kept for it, those in use included."""
    used: int = 0
    """How many of them are in use."""
    mine: bool = False
    """Whether you may use it."""


@record
class BookingsView:
    """Bookings, the next one first, and what of the week's allowance is left."""

    bookings: tuple[BookingView, ...]
    zone: str
    """The server's time zone."""
    week_used: str
    """GPU time you booked in this week."""
    week_limit: str


@record
class Booked:
    """What was booked, or would be: all its dates."""

    dates: tuple[BookingView, ...]
    zone: str
    notes: tuple[str, ...] = ()
