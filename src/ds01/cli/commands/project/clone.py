"""``ds01 project clone``: somebody's repository as a project of one's own."""

from __future__ import annotations

from ds01.cli import project as known
from ds01.cli import show
from ds01.cli.call import Call
from ds01.domain.names import checked
from ds01.projects import file, kinds, origin, renaming, scaffold
from ds01.projects.scaffold import Plan, State, Wish
from ds01.wire.projects import NewProject


def run(call: Call, *, address: str, name: str | None) -> int:
    """Clone, look, propose the project file where there is none, write it."""
    wanted = checked(name or origin.name_of(address), "project name")
    if call.talk.dry_run:
        call.talk.say(f"Would clone it into {file.workspaces(call.home)}/{wanted} and propose a project file.")
        return 0
    call.standing = "Nothing was kept of the clone."
    cloned = origin.clone(address, call.home, watched=call.talk.watched)
    call.standing = ""
    folder = origin.settle(cloned, wanted, call.home)
    call.talk.done(f"The repository is in {folder}.")
    return _project(call, folder, wanted)


def _project(call: Call, folder: str, name: str) -> int:
    if file.has_file(folder):
        renamed = renaming.rename(folder, name)
        call.talk.say(f"It has a project file{f'; its name there is {name} now' if renamed else ''}.")
        return _told(call, folder, name, ())
    plan = scaffold.plan(Wish(name=name, kind=kinds.KINDS["blank"], bare=True), call.home)
    _propose(call, plan)
    ask = call.talk.somebody_there and not call.talk.yes
    if ask and not call.talk.confirm(f"Write it as {file.OWN}?", default=True):
        call.talk.next(f"ds01 init {name}")
        return 0
    return _told(call, folder, name, scaffold.create(plan))


def _propose(call: Call, plan: Plan) -> None:
    talk = call.talk
    if not plan.there.found:
        talk.say("Nothing in it lists packages that could be taken over, so the project begins without any.")
    known.tell_proposal(call, plan.there)
    if talk.somebody_there:
        talk.say()
        for item in plan.files:
            if item.path == file.OWN and item.state is State.NEW:
                for line in item.text.splitlines():
                    talk.say_line(f"    {line}")


def _told(call: Call, folder: str, name: str, written: tuple[str, ...]) -> int:
    talk = call.talk
    if talk.json:
        talk.emit(NewProject(name=name, folder=folder, type="blank", adopted=True, written=written, git=True))
        return 0
    if written:
        talk.done(f"{name} is a project ({show.count(len(written), 'file')} added).")
    talk.next(f"ds01 launch {name}", f"ds01 project check {name}")
    return 0
