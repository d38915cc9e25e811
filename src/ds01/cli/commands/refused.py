"""``ds01 why-refused``: the last refusals of the Docker door, with the way that works.

What was asked for and is not there is on the record as well, and clients ask for such things all the time: every
``docker run`` of an image that is to be pulled does. It is told only where no rule refused anything, and a mere look
(a GET), as DS01's own commands take, not at all.
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
LOOKS = ("GET", "HEAD")
"""Methods of requests that ask for nothing to be done."""


def run(call: Call, *, limit: int | None) -> int:
    """Print the latest refusals, the last one last."""
    found, later = _latest(call, limit or 1)
    if call.talk.json:
        call.talk.emit(found)
        return 0
    if not found:
        call.talk.say("Nothing was refused to you.")
    for number, event in enumerate(found):
        call.talk.data("" if number else _title(found))
        for line in pairs(_told(event), call.talk.out):
            call.talk.data(line)
    if later:
        call.talk.say(f"{show.count(later, 'later request')} asked for what is not there ({ABSENT}).")
    call.talk.say("A command of ds01 that is refused says why itself.")
    call.talk.next("ds01 events --type door.denied", "ds01 help docker")
    return 0


def _latest(call: Call, limit: int) -> tuple[tuple[EventView, ...], int]:
    """The latest refusals by a rule, if there are any, and how many requests for what is not there came since."""
    found = call.client.events(kind=KIND, limit=limit)
    if not any(map(_absent, found)):
        return found, 0
    looked = call.client.events(kind=KIND, limit=max(limit, LOOKED))
    ruled = tuple(event for event in looked if not _absent(event))[-limit:]
    asked = tuple(event for event in looked if _absent(event) and event.details.get("method") not in LOOKS)
    if not ruled:
        return asked[-limit:], 0
    return ruled, sum(event.seq > ruled[0].seq for event in asked)


def _title(found: tuple[EventView, ...]) -> str:
    if len(found) > 1:
        return f"The last {len(found)} refusals through docker:"
    return f"The last refusal through docker ({show.ago(found[0].at)} ago):"


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
