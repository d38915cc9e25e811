"""``ds01 limits``: every limit in force, and where it comes from."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.style import Style
from ds01.cli.table import Column, table
from ds01.wire.status import LimitsView

COLUMNS = (Column("LIMIT"), Column("VALUE"), Column("FROM", flexible=True, least=12))


def run(call: Call, *, user: str | None) -> int:
    """Print the limits."""
    limits = call.client.limits(user=user or "")
    if call.talk.json:
        call.talk.emit(limits)
        return 0
    for line in screen(limits, call.talk.out):
        call.talk.data(line)
    call.talk.next("ds01 limits explain gpus.max", "ds01 status")
    return 0


def screen(limits: LimitsView, style: Style) -> list[str]:
    """The table under the name and group."""
    admin = ", an admin" if limits.admin else ""
    head = f"{style('bold', limits.login)} is in group {limits.group}{admin}."
    rows = [[limit.key, limit.value, limit.source] for limit in limits.limits]
    return [head, "", *table(COLUMNS, rows, style)]
