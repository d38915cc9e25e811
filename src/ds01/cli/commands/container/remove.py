"""``ds01 container remove``: the plain way to end a container; ``retire`` is the careful one."""

from __future__ import annotations

from ds01.cli import here
from ds01.cli.call import Call
from ds01.domain.errors import WRONG_STATE, Ds01Error
from ds01.wire.containers import ContainerView


def run(call: Call, *, name: str, force: bool, user: str | None, reason: str | None) -> int:
    """Say what goes and what stays, ask, remove."""
    here.whose(call, user, reason)
    call.wanted = name
    talk = call.talk
    container = call.client.container(name, user=call.user)
    if container.state in ("running", "paused") and not force:
        raise Ds01Error(
            WRONG_STATE, f"{container.name} is {container.state}.", reason="Nothing was removed.",
            hint=f"ds01 retire {container.name}{call.whose}",
        )  # fmt: skip
    talk.say(f"{talk.err('red', 'Goes:')}  the container {container.name} and everything in it outside /workspace")
    talk.say(f"Stays: {stays(container, whose=call.user)}")
    if talk.dry_run:
        return 0
    if not talk.confirm(f"Remove {container.name}?", default=False):
        talk.say("Nothing was removed.")
        return 0
    removed = call.client.remove(container.name, force=force, user=call.user, reason=call.reason)
    if talk.json:
        talk.emit(removed)
        return 0
    talk.done(f"{container.name} is removed.")
    again = here.again(call, container.name, container.project, container.door)
    talk.next(*(("ds01 list --everybody",) if call.user else (*again, "ds01 list")))
    return 0


def stays(container: ContainerView, *, whose: str = "") -> str:
    """What removing never touches."""
    owner = f"{whose}'s" if whose else "your"
    return f"{owner} files in {container.workspace}, and the image" if container.workspace else "the image"
