"""Notices on the screen: in full where one asks for them, in short after any other command."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.style import Style, wrap
from ds01.domain.errors import Ds01Error

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ds01.wire.lifecycle import NoticeView

ANNOUNCED = "announced"
"""The rule of what an admin tells everybody: it is met in every command."""
SHOWING = ("greet", "notices show", "status", "admin announce")
"""Commands that have shown it already."""
_COLOURS = {"warning": "yellow", "last": "red", "notice": "cyan"}


def drawn(notice: NoticeView, style: Style) -> list[str]:
    """One notice in full: commands keep their lines."""
    colour = _COLOURS.get(notice.level, "yellow") if notice.open or notice.level == "notice" else "dim"
    lines = wrap(f"{style(colour, style.sign('!', 'Notice:'))} {style('bold', notice.title)}", style.width)
    for line in notice.text.split("\n"):
        lines += [line] if line.startswith("  ") or not style.cut else wrap(line, style.width, indent="  ") or [""]
    return lines


def remind(call: Call) -> None:
    """After a command, on a terminal: what one has not been told yet. Asking never fails the command."""
    talk = call.talk
    if talk.json or talk.quiet or "client" not in vars(call) or not talk.stderr.isatty():
        return
    try:
        found = call.client.unseen_notices()
    except Ds01Error:
        return
    tell(call, [notice for notice in found if not (notice.rule == ANNOUNCED and call.path in SHOWING)])


def tell(call: Call, found: Sequence[NoticeView]) -> None:
    """Each once, in full."""
    for notice in found:
        call.talk.say_line("")
        for line in drawn(notice, call.talk.err):
            call.talk.say_line(line)
