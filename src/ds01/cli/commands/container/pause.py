"""``ds01 container pause``: freeze a container where it is."""

from __future__ import annotations

from ds01.cli import here
from ds01.cli.call import Call


def run(call: Call, *, name: str | None, user: str | None, reason: str | None) -> int:
    """Freeze it."""
    here.whose(call, user, reason)
    wanted = here.meant(call, name)
    if call.talk.dry_run:
        container = call.client.container(wanted, user=call.user)
        call.talk.say(f"Would pause {container.name}, which is {container.state}; it would keep its memory and GPU.")
        return 0
    container = call.client.pause(wanted, user=call.user, reason=call.reason)
    if call.talk.json:
        call.talk.emit(container)
        return 0
    call.talk.done(f"{container.name} is paused.")
    call.talk.say("It keeps its memory" + (" and its GPU." if container.gpus else "."))
    call.talk.next(f"ds01 unpause {container.name}{call.whose}")
    return 0
