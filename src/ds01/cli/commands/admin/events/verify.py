"""``ds01 admin events verify``: the whole chain of events, gone through."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.client.admin import Admin


def run(call: Call) -> int:
    """Say whether it is whole; 1 when it is not, with the first event that shows it."""
    talk = call.talk
    with talk.step("Going through every event from the first on"):
        found = Admin(call.client.socket).verify_events()
    if talk.json:
        talk.emit(found)
    elif found.sound:
        talk.done(f"{found.events} events, all as DS01 wrote them.")
        talk.next("ds01 admin backup", "ds01 events --all --to FILE")
    else:
        talk.warn(f"The record is not as DS01 wrote it: {found.wrong}.")
        talk.say(
            f"The {found.events} events before it are. Keep a copy of the ledger as it is, and ask who changed it."
        )
        talk.next("ds01 doctor")
    return int(not found.sound)
