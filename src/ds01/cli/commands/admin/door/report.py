"""``ds01 admin door report``: what the gateway would have refused while it only watched."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.table import pairs
from ds01.client.admin import Admin
from ds01.wire.admin import WouldRefuseView


def run(call: Call, *, since: str | None) -> int:
    """Print the rules, the most frequent first."""
    found = Admin(call.client.socket).door_report(since or "")
    talk = call.talk
    if talk.json:
        talk.emit(found)
        return 0
    if found.observing:
        talk.warn(f"The gateway only watches until {show.clock(found.until)}: it refuses nothing.")
    else:
        talk.say("The gateway is in force; this is what it let through while it only watched.")
    for number, rule in enumerate(found.rules):
        if number:
            talk.data("")
        for line in pairs(_told(rule), talk.out):
            talk.data(line)
    if not found.rules:
        talk.say("It would have refused nothing.")
    if found.planted:
        talk.warn("Made past DS01, and made to last: it stays when the gateway is in force. See ds01 doctor.")
    for thing in found.planted:
        talk.data(thing)
    talk.next("ds01 events --all --type door.observed", "ds01 doctor")
    return 0


def _told(rule: WouldRefuseView) -> list[tuple[str, str]]:
    rows = [
        ("Rule", f"{rule.rule}, {rule.times} times"),
        ("Users", ", ".join(rule.users)),
        ("Latest", f"{rule.request} at {show.clock(rule.latest)}"),
        ("Would say", f"{rule.reason}."),
        ("Instead", rule.advice),
    ]
    return [(name, text) for name, text in rows if text]
