"""``ds01 install``: the plan, a question, the work, and whether all is well."""

from __future__ import annotations

import os

from ds01.cli.call import Call
from ds01.cli.commands.completion import SCRIPTS
from ds01.cli.names import programs
from ds01.cli.onserver import plan_shown, refuse_manifest
from ds01.domain.errors import Ds01Error
from ds01.wire.install import InstallChangeView, InstallView

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from ds01.install.plan import Plan

SURE = "Install DS01 so?"


def run(call: Call, *, observe: int | None, outside: str | None) -> int:
    """Look, show, ask, do."""
    from ds01.install import act

    talk = call.talk
    plan, first = _plan(observe, outside)
    if plan.nothing:
        if talk.json:
            talk.emit(view(plan, done=True))
            return 0
        talk.done("DS01 is installed, and all of it is as it should be. There is nothing to do.")
        for note in plan.watching:
            talk.warn(note)
        talk.next("ds01 doctor")
        return 0
    if not talk.json:
        plan_shown(talk, view(plan, done=False))
    if talk.dry_run:
        if talk.json:
            talk.emit(view(plan, done=False))
        talk.say("Nothing was changed.")
        return 0
    if not talk.confirm(SURE, default=False):
        talk.say("Nothing was changed.")
        return 0
    again = "Type it again: it goes on where it was. ds01 uninstall takes everything back."
    call.standing = "Type it again to install it." if first else again
    act.install(plan, talk.say, first=first)
    if talk.json:
        talk.emit(view(plan, done=True))
        return 0
    talk.done("DS01 is installed." if first else "DS01 is up to date.")
    _well(call)
    return 0


def _plan(observe: int | None, outside: str | None) -> tuple[Plan, bool]:
    """What would change, and whether DS01 was never here to the end."""
    from ds01.install import look, plan
    from ds01.install.machine import Wishes

    machine = look.machine()
    scripts = {shell: text.replace("PROGRAMS", " ".join(programs())) for shell, text in SCRIPTS.items()}
    wishes = Wishes(programs=programs(), completions=scripts, observe_days=observe, outside=outside)
    paths = plan.paths(machine, wishes)
    try:
        known = look.manifest()
        return plan.make(machine, wishes, look.there(paths), known), not known.complete
    except (OSError, ValueError) as error:
        raise refuse_manifest(error) from error


def view(plan: Plan, *, done: bool) -> InstallView:
    """The plan in words for programs."""
    restarts = (*(["containerd.service"] if plan.restart_containerd else []),
                *(["docker.service"] if plan.restart_engine else []), *plan.starts)  # fmt: skip
    left = (f"{', '.join(plan.left)}: somebody else's; left as it is." for _ in plan.left[:1])
    return InstallView(
        done=done,
        accounts=tuple(account.name for account in plan.accounts),
        changes=tuple(
            InstallChangeView(what="change" if change.there else "add", path=change.item.path, why=change.item.why)
            for change in plan.changes
        ),
        restarts=restarts,
        stops=plan.stopped,
        notes=(*plan.notes, *plan.watching, *left),
    )


def _well(call: Call) -> None:
    """What the doctor says is not right yet, and what usually comes next."""
    from ds01.cli.commands.doctor import shown

    talk = call.talk
    try:
        wrong = [check for check in call.client.doctor().checks if check.state != "ok"]
    except Ds01Error as error:
        talk.warn(f"{error.problem.message} {error.problem.reason}")
        wrong = []
    if wrong:
        talk.title("What the doctor finds not right yet")
    for check in wrong:
        for line in shown(check, talk.err):
            talk.say_line(line)
    person = os.environ.get("SUDO_USER") or "LOGIN"
    talk.say(f"Admins are in the group ds01-admin, users in docker: gpasswd -a {person} ds01-admin")
    talk.next("ds01 doctor", "ds01 admin door report", "docs/howto/install.md")
