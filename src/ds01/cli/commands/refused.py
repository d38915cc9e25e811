"""``ds01 why-refused``: the last refusals of the Docker door, with the way that works."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.table import pairs
from ds01.wire.status import EventView

KIND = "door.denied"


def run(call: Call, *, limit: int | None) -> int:
    """Print the latest refusals, the last one last."""
    found = call.client.events(kind=KIND, limit=limit or 1)
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
    call.talk.next("ds01 events --type door.denied", "ds01 help docker")
    return 0


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
