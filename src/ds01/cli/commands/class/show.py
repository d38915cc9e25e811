"""``ds01 class show``: the instructor's view."""

from __future__ import annotations

from collections import Counter

from ds01.cli import dates, show
from ds01.cli.call import Call
from ds01.cli.style import Style, wrap
from ds01.cli.table import Cell, Column, Painted, table
from ds01.wire.classes import ClassView, SeatView

COLUMNS = (
    Column("LOGIN", flexible=True, least=10),
    Column("STATE"),
    Column("GPU"),
    Column("SINCE", right=True),
    Column("LAST PROBLEM", flexible=True, least=12),
)
_COLOURS = {"in": "green", "starting": "yellow", "waiting": "yellow", "stopped": "yellow"}


def run(call: Call, *, name: str, user: str | None) -> int:
    """Print it."""
    view = call.client.class_(name, user=user or "")
    if call.talk.json:
        call.talk.emit(view)
        return 0
    for line in screen(view, call.talk.out):
        call.talk.data(line)
    on = view.next is not None and view.next.state == "on"
    call.talk.next(f"ds01 class close {name}", "ds01 events --type booking" if on else "ds01 bookings --ical")
    return 0


def screen(view: ClassView, style: Style) -> list[str]:
    """When and what, who is in, and what to see to."""
    lines = [style("cyan", f"{view.name}: {view.asked}"), *_facts(view, style)]
    for check in view.checks:
        lines += wrap(f"{style('yellow', style.sign('!', 'Warning:'))} {check}", style.width, hanging="  ")
    lines += ["", *table(COLUMNS, [_row(seat) for seat in view.roster], style), ""]
    lines += wrap(_summary(view), style.width)
    return lines


def _facts(view: ClassView, style: Style) -> list[str]:
    facts = [f"Image {view.image}"]
    if view.next is not None:
        when = dates.span(view.next)
        facts.insert(0, f"On now, {when}: {view.used} of {view.kept} seats used" if view.next.state == "on" else when)
    if view.dates > 1:
        facts.append(f"{view.dates} dates to come")
    return [line for fact in facts for line in wrap(fact, style.width, indent="  ")]


def _row(seat: SeatView) -> list[Cell]:
    return [
        seat.login,
        Painted(seat.state, _COLOURS.get(seat.state, "dim")),
        ", ".join(seat.gpus),
        show.ago(seat.since) if seat.since else "",
        seat.hint,
    ]


def _summary(view: ClassView) -> str:
    counts = Counter(seat.state for seat in view.roster)
    told = ", ".join(f"{number} {state}" for state, number in counts.items())
    missing = counts["absent"] + counts["left"]
    if not missing or view.next is None or view.next.state != "on":
        return f"{told}."
    return f"{told}. Whoever is not in types: ds01 launch {view.name}"
