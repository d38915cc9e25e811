"""``ds01 usage``: what one consumed."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.style import Style
from ds01.cli.table import Cell, Column, table
from ds01.wire.usage import ConsumptionLine, ConsumptionView

COLUMNS = (
    Column("DAY"), Column("USER"), Column("PROJECT", flexible=True, least=8),
    Column("CONTAINER", flexible=True, least=8), Column("RAN", right=True), Column("GPU", right=True),
    Column("CPU", right=True), Column("MEMORY", right=True),
    Column("ENERGY", right=True), Column("CO2", right=True),
)  # fmt: skip


def run(call: Call, *, since: str | None, by: str | None, user: str | None, all_: bool) -> int:
    """Print the account, or the view as JSON."""
    found = call.client.usage(since=since or "", by=by or "", user=user or "", everybody=all_)
    talk = call.talk
    if talk.json:
        talk.emit(found)
        return 0
    for line in screen(found, talk.out, everybody=all_):
        talk.data(line)
    if found.more:
        talk.say(f"… and {show.count(found.more, 'more line')}; the sum has all. Fewer: ds01 usage --by project")
    if not found.lines:
        talk.say(f"Nothing was used since {found.since}.")
    talk.next("ds01 usage --by day", "ds01 list")
    return 0


def screen(found: ConsumptionView, style: Style, *, everybody: bool = False) -> list[str]:
    """The table, with the sum below it."""
    if not found.lines:
        return []
    total = [*_row(found.total, everybody=False)]
    total[0 if found.by == "day" else 1 if everybody else 3 if found.by == "container" else 2] = "total"
    return table(COLUMNS, [*(_row(line, everybody=everybody) for line in found.lines), total], style)


def _row(line: ConsumptionLine, *, everybody: bool) -> list[Cell]:
    return [
        line.day, line.user if everybody else "", line.project, line.container, show.hours(line.running_hours),
        show.hours(line.gpueq_hours), show.hours(line.cpu_hours), show.amount(line.memory_gib_hours, "GiBh"),
        show.energy(line.energy_wh), show.co2(line.co2_g),
    ]  # fmt: skip
