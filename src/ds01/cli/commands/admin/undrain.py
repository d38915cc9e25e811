"""``ds01 admin undrain``: let new work onto a GPU again."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call


def run(call: Call, *, gpu: str) -> int:
    """Give it out again, and say what else keeps it back."""
    talk = call.talk
    if talk.dry_run:
        talk.say(
            f"{'Every GPU' if gpu.lower() == 'all' else f'GPU {gpu}'} would be given out again. Nothing was changed."
        )
        return 0
    view = call.client.undrain(gpu)
    if talk.json:
        talk.emit(view)
        return 0
    if view.reasons:
        talk.warn(f"Drained no more: {show.which_gpus(view.slots)}. Still out of service: {'; '.join(view.reasons)}.")
    else:
        talk.done(f"Given out again: {show.which_gpus(view.slots)}.")
    talk.next("ds01 gpus")
    return 0
