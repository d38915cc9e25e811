"""Classes on the wire: seats for those on a roster, and the instructor's view of them."""

from __future__ import annotations

from ds01.domain.record import record
from ds01.wire.bookings import BookingView


@record
class RosterLine:
    """One person on the roster, with the line of the file."""

    line: int
    login: str


@record
class ClassRequest:
    """A class to open. Times and GPUs are in the words that were typed, as for a booking."""

    name: str
    begins: str
    roster: tuple[RosterLine, ...]
    roster_file: str = "the roster"
    """What the file is called, for mistakes in it."""
    length_seconds: int | None = None
    ends: str = ""
    seats: int | None = None
    """None: one for everybody on the roster."""
    gpus: str = "1"
    """What one seat is."""
    memory_bytes: int = 0
    image: str = ""
    """The image of all; empty: that of the instructor's project of this name."""
    until: str = ""
    keep_seconds: int | None = None
    """How long seats wait for their people; None: as the server's rules say."""
    check_only: bool = False


@record
class ClassOpened:
    """A class that was opened, or would be."""

    dates: tuple[BookingView, ...]
    seats: int
    people: int
    image: str
    zone: str
    notes: tuple[str, ...] = ()


@record
class SeatView:
    """One person of a class."""

    login: str
    state: str
    """``in``, ``starting``, ``stopped``, ``waiting``, ``left`` or ``absent``."""
    gpus: tuple[str, ...] = ()
    """Labels of the GPUs she has."""
    since: str | None = None
    """When she came, or left."""
    hint: str = ""
    """What went wrong last, or what she could type."""


@record
class ClassView:
    """A class as its instructor sees it: its next date, or the one that is on."""

    name: str
    owner: str
    asked: str
    seats: int
    people: int
    image: str
    next: BookingView | None
    dates: int
    """How many dates are to come, the one that is on included."""
    zone: str
    kept: int = 0
    """How many seats are kept now, those in use included."""
    used: int = 0
    roster: tuple[SeatView, ...] = ()
    """Everybody, those who are in first; only in the view of one class."""
    checks: tuple[str, ...] = ()
    """What the instructor should see to; empty when all is well."""


@record
class ClassClosed:
    """What was closed: containers that were retired, dates that were given up."""

    name: str
    retired: tuple[str, ...]
    """``login/container`` of each."""
    dates: tuple[BookingView, ...]
    failed: tuple[str, ...] = ()
    """Containers that could not be retired yet; ds01d tries again."""


@record
class ClassSeat:
    """What a member of a class launches with."""

    name: str
    image: str
    gpus: str
    """What ``--gpus`` takes."""
    memory_bytes: int
    begins_at: str
    ends_at: str
    on: bool
