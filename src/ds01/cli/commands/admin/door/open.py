"""``ds01 admin door open``: the engine itself, for a while, with a reason."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.client.admin import Admin

USUAL_SECONDS = 15 * 60


def run(call: Call, *, reason: str, time: int | None) -> int:
    """Open it."""
    seconds = time or USUAL_SECONDS
    opened = Admin(call.client.socket).open_glass(reason, max(1, seconds // 60))
    talk = call.talk
    if talk.json:
        talk.emit(opened)
        return 0
    talk.warn(f"The engine is open to you until {show.clock(opened.until)}. Nothing is checked there, all is recorded.")
    talk.data(f"export DOCKER_HOST=unix://{opened.socket}")
    talk.next("ds01 admin door close", "ds01 events --all --type door.glass")
    return 0
