"""``ds01 container remove``: the plain way to end a container; ``retire`` is the careful one."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.domain.errors import WRONG_STATE, Ds01Error
from ds01.wire.containers import ContainerView


def run(call: Call, *, name: str, force: bool) -> int:
    """Say what goes and what stays, ask, remove."""
    call.wanted = name
    talk = call.talk
    container = call.client.container(name)
    if container.state in ("running", "paused") and not force:
        raise Ds01Error(
            WRONG_STATE, f"{container.name} is {container.state}.", reason="Nothing was removed.",
            hint=f"ds01 retire {container.name}",
        )  # fmt: skip
    talk.say(f"{talk.err('red', 'Goes:')}  the container {container.name} and everything in it outside /workspace")
    talk.say(f"Stays: {stays(container)}")
    if talk.dry_run:
        return 0
    if not talk.confirm(f"Remove {container.name}?", default=False):
        talk.say("Nothing was removed.")
        return 0
    removed = call.client.remove(container.name, force=force)
    if talk.json:
        talk.emit(removed)
        return 0
    talk.done(f"{container.name} is removed.")
    talk.next(f"ds01 launch {container.project or container.name}", "ds01 list")
    return 0


def stays(container: ContainerView) -> str:
    """What removing never touches."""
    return f"your files in {container.workspace}, and the image" if container.workspace else "the image"
