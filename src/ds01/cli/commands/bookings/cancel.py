"""``ds01 bookings cancel``: give a booking up."""

from __future__ import annotations

from ds01.cli import dates, show
from ds01.cli.call import Call


def run(call: Call, *, name: str, date: str | None, user: str | None) -> int:
    """Show which dates go, ask, and give them up."""
    going = call.client.cancel_booking(name, date=date or "", check_only=True, user=user or "")
    shown = show.names([dates.span(one) for one in going.dates], most=3)
    if call.talk.dry_run:
        call.talk.say(f"{name} would be given up: {shown}. Nothing was changed.")
        return 0
    if len(going.dates) > 1 and not call.talk.confirm(
        f"Give up all {len(going.dates)} dates of {name} ({shown})?", default=True, flag="--yes, or --date for one"
    ):
        call.talk.say("Nothing was changed.")
        return 0
    gone = call.client.cancel_booking(name, date=date or "", user=user or "")
    if call.talk.json:
        call.talk.emit(gone)
        return 0
    on = any(one.state == "on" for one in going.dates)
    after = "What runs in it goes on to its end." if on else "Others can have the GPUs now."
    call.talk.done(f"{name} is cancelled: {shown}. {after}")
    call.talk.next("ds01 bookings")
    return 0
