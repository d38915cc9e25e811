"""``ds01 admin drain``: keep new work away from a GPU."""

from __future__ import annotations

from ds01.cli.call import Call


def run(call: Call, *, gpu: str, reason: str | None) -> int:
    """Keep it free from now on, and say who is still there."""
    talk = call.talk
    if talk.dry_run:
        talk.say(f"Nobody new would be placed on GPU {gpu}; what runs there would go on. Nothing was changed.")
        return 0
    view = call.client.drain(gpu, reason or "")
    if talk.json:
        talk.emit(view)
        return 0
    talk.done(f"Nobody new is placed on GPU {', '.join(view.slots)}.")
    if view.still_there:
        talk.say(f"Still on it: {', '.join(view.still_there)}.")
    else:
        talk.say("It is free.")
    talk.next("ds01 gpus", f"ds01 admin undrain {gpu}")
    return 0
