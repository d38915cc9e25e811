"""``ds01 container start``: take a stopped container up again."""

from __future__ import annotations

from ds01.cli import here, show
from ds01.cli.call import Call


def run(call: Call, *, name: str | None, user: str | None, reason: str | None) -> int:
    """Start it, and say what it has."""
    here.whose(call, user, reason)
    wanted = here.meant(call, name)
    if call.talk.dry_run:
        container = call.client.container(wanted, user=call.user)
        gpus = f" and lease {show.count(container.gpu_count, 'GPU')} for it" if container.gpu_count else ""
        call.talk.say(f"Would start {container.name}{gpus}. It is {container.state} now.")
        return 0
    result = call.client.start(wanted, user=call.user, reason=call.reason)
    if call.talk.json:
        call.talk.emit(result)
        return 0
    held = result.container.gpus
    call.talk.done(f"{result.container.name} runs{f' with {show.which_gpus(held)}' if held else ''}.")
    if result.recreated:
        call.talk.say("It was made anew on its own files, because it has another GPU now.")
    for note in result.notes:
        call.talk.say(note)
    enter = "why" if call.user else "attach"
    call.talk.next(
        f"ds01 {enter} {result.container.name}{call.whose}", f"ds01 stop {result.container.name}{call.whose}"
    )  # fmt: skip
    return 0
