"""``ds01 admin backup``: a copy of the ledger while everything goes on."""

from __future__ import annotations

import os

from ds01.cli import show
from ds01.cli.call import Call
from ds01.client.admin import Admin


def run(call: Call, *, file: str | None) -> int:
    """Have it made, and say what it is."""
    talk = call.talk
    into = _meant(file)
    if talk.dry_run:
        talk.say(f"Would copy the ledger to {into or 'a new file beside it'}.")
        return 0
    call.standing = "ds01d may still be at it; a copy is there only when it is whole."
    with talk.step("Copying the ledger, and looking the copy through"):
        made = Admin(call.client.socket).back_up(into)
    if talk.json:
        talk.emit(made)
        return 0
    talk.done(f"The ledger is copied to {made.path}.")
    talk.say(f"{show.size(made.size_bytes)}, {made.events} events, whole and as they were written.")
    talk.next("ds01 doctor")
    return 0


def _meant(file: str | None) -> str:
    """A plain name is one beside the ledger; a path is as she sees it where she is."""
    return os.path.abspath(file) if file and os.sep in file else file or ""
