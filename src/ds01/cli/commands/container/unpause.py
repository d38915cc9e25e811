"""``ds01 container unpause``: let a paused container go on."""

from __future__ import annotations

from ds01.cli import here
from ds01.cli.call import Call


def run(call: Call, *, name: str | None, user: str | None, reason: str | None) -> int:
    """Let it go on."""
    here.whose(call, user, reason)
    wanted = here.meant(call, name)
    if call.talk.dry_run:
        container = call.client.container(wanted, user=call.user)
        call.talk.say(f"Would let {container.name} go on; it is {container.state} now.")
        return 0
    container = call.client.unpause(wanted, user=call.user, reason=call.reason)
    if call.talk.json:
        call.talk.emit(container)
        return 0
    call.talk.done(f"{container.name} goes on.")
    call.talk.next(f"ds01 attach {container.name}")
    return 0
