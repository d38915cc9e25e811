"""``ds01 class list``: classes I opened and those I am in."""

from __future__ import annotations

from collections.abc import Sequence

from ds01.cli import dates
from ds01.cli.call import Call
from ds01.cli.style import Style, wrap
from ds01.cli.table import Cell, Column, Painted, table
from ds01.wire.classes import ClassView

COLUMNS = (
    Column("NAME", flexible=True, least=8),
    Column("BY", flexible=True, least=8),
    Column("SEATS"),
    Column("WHEN"),
    Column("DATES", right=True),
    Column("PEOPLE", right=True),
    Column("STATE"),
)


def run(call: Call, *, all_: bool) -> int:
    """Print them."""
    found = call.client.classes(everybody=all_)
    if call.talk.json:
        call.talk.emit(found)
        return 0
    for line in screen(found, call.talk.out):
        call.talk.data(line)
    if not found:
        call.talk.next('ds01 class open NAME --roster roster.csv --from "Tue 10:00" --for 2h')
    else:
        call.talk.next(*_next(found[0]))
    return 0


def _next(view: ClassView) -> tuple[str, ...]:
    """Who is on the roster launches; who opened it looks."""
    if view.next is not None and view.next.mine:
        return (f"ds01 launch {view.name}",)
    return f"ds01 class show {view.name}", f"ds01 class close {view.name}"


def screen(found: Sequence[ClassView], style: Style) -> list[str]:
    """The table."""
    if not found:
        return wrap("You have opened no class and are in none.", style.width)
    return table(COLUMNS, [_row(each) for each in found], style)


def _row(view: ClassView) -> list[Cell]:
    on = view.next is not None and view.next.state == "on"
    return [
        view.name,
        view.owner,
        view.asked,
        dates.span(view.next) if view.next is not None else "",
        str(view.dates),
        str(view.people),
        Painted(f"on, {view.used} in", "green") if on else Painted("to come", "dim"),
    ]
