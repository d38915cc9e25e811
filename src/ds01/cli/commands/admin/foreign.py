"""``ds01 admin foreign``: who works on a GPU outside DS01."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.table import Column, table

COLUMNS = (
    Column("GPU"), Column("PID", right=True), Column("USER", flexible=True, least=8),
    Column("PROGRAM", flexible=True, least=8), Column("MEMORY", right=True), Column("FOR", right=True),
    Column("IN", flexible=True, least=8), Column("LEASED TO", flexible=True, least=8),
)  # fmt: skip


def run(call: Call) -> int:
    """List them."""
    talk = call.talk
    found = call.client.foreign()
    if talk.json:
        talk.emit(found)
        return 0
    rows = [
        [
            each.slot, str(each.pid), each.user, each.command, show.size(each.memory_bytes),
            "" if each.started_at is None else show.ago(each.started_at), each.container, each.leased_to,
        ]
        for each in found
    ]  # fmt: skip
    for line in table(COLUMNS, rows, talk.out) if rows else []:
        talk.data(line)
    if found:
        talk.say("DS01 ends none of them, and places nobody there until they are gone.")
        talk.next(f"ps -fp {found[0].pid}", "ds01 gpus")
    else:
        talk.say("Nobody works on a GPU outside DS01.")
        talk.next("ds01 gpus", "ds01 doctor")
    return 0
