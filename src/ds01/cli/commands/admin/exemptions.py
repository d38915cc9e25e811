"""``ds01 admin exemptions``: limits that are lifted by word."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.table import Column, table

COLUMNS = (
    Column("ID"), Column("USER"), Column("LIFTED"), Column("UNTIL"), Column("BY"),
    Column("REASON", flexible=True, least=12),
)  # fmt: skip


def run(call: Call, *, end: str | None) -> int:
    """List them, or end one."""
    talk = call.talk
    if end is not None:
        if talk.dry_run:
            talk.say(f"Would end {end}.")
            return 0
        ended = call.client.end_exemption(end)
        if talk.json:
            talk.emit([ended])
            return 0
        talk.done(f"{ended.login} has the limits {', '.join(ended.keys)} again.")
        talk.next(f"ds01 limits --user {ended.login}")
        return 0
    found = call.client.exemptions()
    if talk.json:
        talk.emit(found)
        return 0
    rows = [[e.id, e.login, ", ".join(e.keys), show.clock(e.until), e.by, e.reason] for e in found]
    for line in table(COLUMNS, rows, talk.out) if rows else []:
        talk.data(line)
    if not found:
        talk.say("No limit is lifted by word. Those of the limits file are in the limits file.")
    talk.next("ds01 admin exempt USER KEY --until 3d --reason WHY")
    return 0
