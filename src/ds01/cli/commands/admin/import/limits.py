"""``ds01 admin import limits``: an older limits file, every key accounted for."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.limits_file import ask
from ds01.cli.table import Cell, Column, Painted, table
from ds01.wire.limits_file import ImportedKey, ImportView

COLUMNS = (
    Column("KEY", flexible=True, least=16),
    Column("BECAME"),
    Column("HOW", flexible=True, least=20),
    Column("LINE", right=True),
)
_COLOURS = {"mapped": "green", "dropped": "dim", "unreadable": "yellow"}


def run(call: Call, *, old: str, to: str | None, replace: bool) -> int:
    """Convert it, and say what became of every key."""
    view = ask(ImportView, "import", old, to or "limits.yaml", *(["--replace"] if replace else []))
    talk = call.talk
    if talk.json:
        talk.emit(view)
        return 0
    for line in table(COLUMNS, [_row(key) for key in view.keys], talk.out) if view.keys else []:
        talk.data(line)
    talk.done(f"{view.file} is written.")
    unread = sum(key.outcome == "unreadable" for key in view.keys)
    if unread:
        talk.warn(f"{unread} of {len(view.keys)} keys could not be read; they are listed above.")
    talk.next(f"ds01 admin limits check {view.file}")
    return 0


def _row(key: ImportedKey) -> list[Cell]:
    return [
        key.key,
        Painted(key.outcome, _COLOURS.get(key.outcome, "dim")),
        key.text,
        str(key.line) if key.line else "",
    ]
