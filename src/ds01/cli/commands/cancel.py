"""``ds01 cancel``: give a place in the queue up."""

from __future__ import annotations

from ds01.cli.call import Call


def run(call: Call, *, name: str, user: str | None) -> int:
    """Give it up, and say what that means."""
    if call.talk.dry_run:
        call.talk.say(f"The place of {name} in the queue would be given up. Nothing was changed.")
        return 0
    place = call.client.cancel(name, user=user or "")
    if call.talk.json:
        call.talk.emit(place)
        return 0
    kept = " The GPUs that were kept for it go to the next one." if place.state == "reserved" else ""
    call.talk.done(f"{name} does not wait any more.{kept}")
    call.talk.next(f"ds01 launch {name}", "ds01 queue")
    return 0
