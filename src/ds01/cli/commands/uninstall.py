"""``ds01 uninstall``: the plan, a question, and everything as it was."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.onserver import only_root, plan_shown, refuse_manifest
from ds01.wire.install import InstallChangeView, InstallView, RunningView

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from ds01.install.removal import Removal

SURE = "Take DS01 off this server?"


def run(call: Call) -> int:
    """Look, show, ask, do."""
    from functools import partial

    from ds01.install import undo
    from ds01.install.whole import whole

    only_root("take DS01 off this server", hint="sudo ds01 uninstall")
    talk, removal = call.talk, _removal()
    if removal.nothing:
        talk.say("DS01 is not installed here: there is nothing to take off.")
        if talk.json:
            talk.emit(view(removal, done=True))
        return 0
    if not talk.json:
        plan_shown(talk, view(removal, done=False))
    if talk.dry_run:
        if talk.json:
            talk.emit(view(removal, done=False))
        talk.say("Nothing was changed.")
        return 0
    if not talk.confirm(SURE, default=False):
        talk.say("Nothing was changed.")
        return 0
    call.standing = "Type it again: it goes on where it was."
    whole(partial(undo.remove, removal), None, talk.say)
    if talk.json:
        talk.emit(view(removal, done=True))
        return 0
    talk.done("DS01 is off this server. Docker is as it was before.")
    talk.say("  Stays  /var/lib/ds01, workspaces, images, volumes, containers, and the package itself")
    talk.next("docker ps", "ds01 install")
    return 0


def _removal() -> Removal:
    from ds01.install import look, removal
    from ds01.install.paths import ADMINS

    try:
        known = look.manifest()
        return removal.make(
            known, look.there(tuple(known.entries)), {ADMINS: tuple(look.members(ADMINS))}, look.engine()
        )
    except (OSError, ValueError) as error:
        raise refuse_manifest(error) from error


def view(removal: Removal, *, done: bool) -> InstallView:
    """The removal in words for programs."""
    return InstallView(
        done=done,
        accounts=removal.accounts,
        changes=tuple(InstallChangeView(what=step.act.value, path=step.path, why=step.why) for step in removal.steps),
        restarts=("docker.service",) if removal.steps else (),
        stops=removal.stops,
        containers=tuple(
            RunningView(name=each.name, owner=each.owner, becomes=becomes) for each, becomes in removal.running
        ),
        notes=tuple(f"The group {name} stays: somebody is in it." for name in removal.kept),
    )
