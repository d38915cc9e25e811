"""``ds01 class close``: end a class, after saying exactly what goes and what stays."""

from __future__ import annotations

from ds01.cli import dates, show
from ds01.cli.call import Call
from ds01.wire.classes import ClassClosed


def run(call: Call, *, name: str, all_dates: bool, user: str | None) -> int:
    """Show what goes, ask, do it."""
    going = call.client.close_class(name, all_dates=all_dates, check_only=True, user=user or "")
    if not call.talk.json:
        _preview(call, going)
    if call.talk.dry_run:
        if call.talk.json:
            call.talk.emit(going)
        call.talk.say("Nothing was changed.")
        return 0
    if not call.talk.confirm(f"Close {name}?", default=True):
        call.talk.say("Nothing was changed.")
        return 0
    with call.talk.step(f"Closing {name}"):
        closed = call.client.close_class(name, all_dates=all_dates, user=user or "")
    if call.talk.json:
        call.talk.emit(closed)
        return 0
    retired = show.count(len(closed.retired), "container")
    call.talk.done(f"{name} is closed: {retired} retired." if closed.retired else f"{name} is closed.")
    if closed.failed:
        call.talk.warn(f"Not retired yet: {show.names(closed.failed)}. DS01 removes them when they stop.")
    call.talk.next("ds01 class list", "ds01 gpus")
    return 0


def _preview(call: Call, going: ClassClosed) -> None:
    talk = call.talk
    if going.retired:
        talk.say(f"  Ends   {show.count(len(going.retired), 'container')}: {show.names(going.retired, most=4)}")
        talk.say("  Stays  everybody's workspace, and the image")
    talk.say(f"  Gives up  {show.names([dates.span(one) for one in going.dates], most=3)}")
