"""``ds01 admin drain``: keep new work away from a GPU."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call


def run(call: Call, *, gpu: str, reason: str | None) -> int:
    """Keep it free from now on, and say who is still there."""
    talk = call.talk
    if talk.dry_run:
        talk.say(f"Nobody new would be placed on {called(gpu)}; what runs there would go on. Nothing was changed.")
        return 0
    view = call.client.drain(gpu, reason or "")
    if talk.json:
        talk.emit(view)
        return 0
    talk.done(f"Nobody new is placed on {show.which_gpus(view.slots)}.")
    if view.still_there:
        talk.say(f"Still there: {', '.join(view.still_there)}.")
    else:
        talk.say("Nobody is there.")
    talk.next("ds01 gpus", f"ds01 admin undrain {gpu}")
    return 0


def called(gpu: str) -> str:
    """``GPU 2``, or all of them."""
    return "any GPU" if gpu.lower() == "all" else f"GPU {gpu}"
