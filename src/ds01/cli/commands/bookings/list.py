"""``ds01 bookings``: mine and those I may use, as a table, as JSON or as a calendar."""

from __future__ import annotations

from collections.abc import Sequence

from ds01.cli import dates
from ds01.cli.call import Call
from ds01.cli.style import Style, wrap
from ds01.cli.table import Cell, Column, Painted, table
from ds01.wire.bookings import BookingsView, BookingView

COLUMNS = (
    Column("NAME", flexible=True, least=10),
    Column("USER", flexible=True, least=8),
    Column("WHAT"),
    Column("WHEN"),
    Column("WEEKLY"),
    Column("FOR", flexible=True, least=8),
    Column("STATE"),
)
_COLOURS = {"on": "green", "released": "yellow"}


def run(call: Call, *, all_: bool, over: bool, ical: bool, user: str | None) -> int:
    """Print them."""
    if ical:
        call.talk.stdout.write(call.client.calendar(everybody=all_, user=user or ""))
        return 0
    found = call.client.bookings(everybody=all_, over=over, user=user or "")
    if call.talk.json:
        call.talk.emit(found)
        return 0
    for line in screen(found, call.talk.out, everybody=all_):
        call.talk.data(line)
    call.talk.next(*_next(found, everybody=all_))
    return 0


def screen(found: BookingsView, style: Style, *, everybody: bool = False) -> list[str]:
    """The table, and how much of the week's allowance is used."""
    rows = [_row(each, everybody=everybody) for each in dates.series(found.bookings)]
    lines = table(COLUMNS, rows, style) if rows else []
    if not rows:
        lines += wrap("Nothing is booked." if everybody else "Nothing of yours is booked.", style.width)
    if not everybody:
        lines += [""] if rows else []
        limit = "" if found.week_limit == "no limit" else f" of {found.week_limit}"
        lines += wrap(f"GPU time you booked this week: {found.week_used}{limit}.", style.width)
    return lines


def _row(views: Sequence[BookingView], *, everybody: bool) -> list[Cell]:
    first = views[0]
    return [
        first.name,
        first.owner if everybody else "",
        first.asked,
        dates.span(first),
        dates.weekly(views),
        first.people if first.kind != "own" else "",
        Painted(_state(first), _COLOURS.get(first.state, "dim")),
    ]


def _state(view: BookingView) -> str:
    if view.state != "on":
        return view.state
    return f"on, {view.used} of {view.kept}" if view.kept else "on, given back"


def _next(found: BookingsView, *, everybody: bool) -> tuple[str, ...]:
    if not found.bookings or everybody:
        return ('ds01 book 1 --from "Tue 10:00" --for 2h',)
    first = found.bookings[0]
    if first.kind == "class":
        return f"ds01 launch {first.name}", "ds01 class list"
    cancel = f"ds01 bookings cancel {first.name}"
    return ("ds01 launch NAME", cancel) if first.state == "on" else (cancel,)
