"""``ds01 container undo``: take back a stop that DS01 made by itself."""

from __future__ import annotations

from ds01.cli import here, show
from ds01.cli.call import Call


def run(call: Call, *, name: str | None, user: str | None, reason: str | None) -> int:
    """Start it again, and say what it has."""
    here.whose(call, user, reason)
    wanted = here.meant(call, name)
    talk = call.talk
    if talk.dry_run:
        container = call.client.container(wanted, user=call.user)
        talk.say(f"Would start {wanted} again. It is {show.described(container)} now.")
        return 0
    with talk.step(f"Starting {wanted} again"):
        result = call.client.undo(wanted, user=call.user, reason=call.reason)
    if talk.json:
        talk.emit(result)
        return 0
    held = result.container.gpus
    talk.done(f"{wanted} runs again{f' with {show.which_gpus(held)}' if held else ''}; its files are as they were.")
    for note in result.notes:
        talk.say(note)
    left = show.left(result.container.runtime_left_seconds)
    if left:
        talk.say(f"It may run {left} more.")
    enter = () if call.user else (f"ds01 attach {wanted}",)
    talk.next(*enter, f"ds01 extend {wanted} 4h{call.whose}", f"ds01 keep {wanted} --for 2h{call.whose}")
    return 0
