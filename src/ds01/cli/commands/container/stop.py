"""``ds01 container stop``: end its programs, keep the rest."""

from __future__ import annotations

from ds01.cli import here, show
from ds01.cli.call import Call
from ds01.wire.containers import ContainerView


def run(call: Call, *, name: str | None, grace: int | None, force: bool, user: str | None, reason: str | None) -> int:
    """Stop it, and say what is kept until when."""
    here.whose(call, user, reason)
    wanted = here.meant(call, name)
    talk = call.talk
    if talk.dry_run:
        container = call.client.container(wanted, user=call.user)
        now = f"{container.name}, which is {container.state}"
        talk.say(f"Would stop {now}; it would be kept for a while{_unless(container)}.")
        return 0
    call.standing = f"{wanted} is being stopped: ds01 why {wanted} tells what became of it."
    with talk.step(f"Stopping {wanted}"):
        container = call.client.stop(
            wanted, grace_seconds=0 if force else grace, user=call.user, reason=call.reason
        )  # fmt: skip
    if talk.json:
        talk.emit(container)
        return 0
    talk.done(f"{container.name} is stopped.")
    if container.state == "removed":
        talk.say(_gone(container))
        talk.next(f"ds01 why {container.name}{call.whose}")
        return 0
    talk.say(kept(container))
    talk.next(f"ds01 start {container.name}{call.whose}", f"ds01 retire {container.name}{call.whose}")
    return 0


def kept(container: ContainerView) -> str:
    """What of a stopped container is kept, and how long."""
    until = show.until(container.remove_at)
    said = f"It is kept for {until}" if until else "It is kept"
    if container.lease == "held" and container.gpu_hold_until:
        said += f", its GPU for {show.until(container.gpu_hold_until)}"
    return said + (f"; {container.workspace} stays in any case." if container.workspace else ".")


def _unless(container: ContainerView) -> str:
    """What may keep it from being kept: only Docker's own clients start with ``--rm``."""
    return ", unless it was started with --rm" if here.by_docker(container.door) else ""


def _gone(container: ContainerView) -> str:
    """That nothing is kept of it, and why."""
    said = "It is gone: what was started with --rm is removed with its end"
    return said + (f"; {container.workspace} stays." if container.workspace else ".")
