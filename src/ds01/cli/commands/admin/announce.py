"""``ds01 admin announce``: tell everybody something until a time."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.client.admin import Admin
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.wire.admin import AnnouncementView


def run(call: Call, *, text: str | None, until: str | None, clear: bool) -> int:
    """Say it, take it back, or show what stands."""
    if (text or until) and clear:
        raise Ds01Error(BAD_REQUEST, "Either a text or --clear, not both.", hint="ds01 admin announce --clear")
    if until and not text:
        raise Ds01Error(BAD_REQUEST, "Say what.", hint="ds01 admin announce 'new driver on Friday' --until 3d")
    if call.talk.dry_run:
        call.talk.say(_foreseen(text, until, clear=clear))
        return 0
    admin = Admin(call.client.socket)
    if clear:
        return _told(call, admin.clear_announcement(), "Taken back: {}", "Nothing is announced.")
    if text:
        found = admin.announce(text, until or "")
        return _told(call, found, f"Everybody reads it until {show.clock(found.until)}: {{}}", "")
    return _told(call, admin.announcement(), "Announced: {}", "Nothing is announced.")


def _foreseen(text: str | None, until: str | None, *, clear: bool) -> str:
    if clear:
        return "Would take back what is announced."
    if not text:
        return "Would show what is announced."
    return f"Would tell everybody{f' until {show.clock(until)}' if until else ', for a week'}: {text}"


def _told(call: Call, found: AnnouncementView, told: str, nothing: str) -> int:
    talk = call.talk
    if talk.json:
        talk.emit(found)
    elif not found.text:
        talk.say(nothing)
        talk.next("ds01 admin announce 'new driver on Friday from 18:00' --until 3d")
    else:
        talk.done(told.format(found.text))
        talk.next("ds01 admin announce --clear", "ds01 admin drain all")
    return 0
