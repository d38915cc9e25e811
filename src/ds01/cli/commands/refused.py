"""``ds01 why-refused``: the last refusals of the Docker door, with the way that works.

What was asked for and is not there is on the record as well, and clients ask for such things all the time: every
``docker run`` of an image that is to be pulled does. It is told only where no rule refused anything.
"""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.table import pairs
from ds01.domain.dockerpolicy.verdict import ABSENT
from ds01.wire.status import EventView

KIND = "door.denied"
LOOKED = 200
"""Refusals among which one by a rule is looked for."""


def run(call: Call, *, limit: int | None) -> int:
    """Print the latest refusals, the last one last."""
    found, later = _latest(call, limit or 1)
    if call.talk.json:
        call.talk.emit(found)
        return 0
    if not found:
        call.talk.say("Nothing was refused to you.")
    for number, event in enumerate(found):
        if number:
            call.talk.data("")
        for line in pairs(_told(event), call.talk.out):
            call.talk.data(line)
    if later:
        call.talk.say(f"{show.count(later, 'later request')} asked for what is not there ({ABSENT}).")
    call.talk.next("ds01 events --type door.denied", "ds01 help docker")
    return 0


def _latest(call: Call, limit: int) -> tuple[tuple[EventView, ...], int]:
    """The latest refusals by a rule, if there are any, and how many requests for what is not there came since."""
    found = call.client.events(kind=KIND, limit=limit)
    if not any(map(_absent, found)):
        return found, 0
    looked = call.client.events(kind=KIND, limit=max(limit, LOOKED))
    ruled = tuple(event for event in looked if not _absent(event))[-limit:]
    if not ruled:
        return found, 0
    return ruled, sum(_absent(event) and event.seq > ruled[0].seq for event in looked)


def _absent(event: EventView) -> bool:
    return event.details.get("rule") == ABSENT


def _told(event: EventView) -> list[tuple[str, str]]:
    details = event.details
    asked = f"{details.get('method', '')} {details.get('path', '')}".strip()
    rows = [
        ("When", show.clock(event.at)),
        ("Asked for", asked or event.subject),
        ("Refused", f"{details.get('reason', 'no reason was recorded')}."),
        ("Rule", details.get("rule", "")),
        ("Instead", details.get("advice", "")),
    ]
    return [(name, text) for name, text in rows if text]
