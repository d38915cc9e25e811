"""``ds01 init``: a new project, or an existing folder made one."""

from __future__ import annotations

import os
import shutil

from ds01.cli import project as known
from ds01.cli import show
from ds01.cli.call import Call
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.names import checked
from ds01.projects import copying, file, kinds, origin, renaming, scaffold
from ds01.projects.copying import Copied
from ds01.projects.scaffold import Plan, State, Wish
from ds01.wire.projects import NewProject


def run(
    call: Call,
    *,
    name: str,
    type_: str | None,
    blank: bool,
    desc: str | None,
    base: str | None,
    lean: bool,
    git: bool,
    no_git: bool,
    from_: str | None,
    vscode: bool,
) -> int:
    """Plan, say, write."""
    if blank and type_ not in (None, "blank"):
        raise Ds01Error(BAD_REQUEST, f"--blank and --type {type_} exclude each other.", hint="Leave one of them out.")
    if git and no_git:
        raise Ds01Error(BAD_REQUEST, "--git and --no-git exclude each other.", hint="Leave one of them out.")
    if git and shutil.which("git") is None:
        raise Ds01Error(BAD_REQUEST, "git is not installed on this server.", hint="Leave --git out, or ask your admin.")
    if from_:
        beginning(call, from_, name)
    kind = scaffold.kind("blank" if blank or (from_ and not type_) else type_ or asked_type(call))
    wish = Wish(
        name=name, kind=kind, description=_line(desc or ""), base=base or "", lean=lean,
        bare=bool(from_) and not type_, vscode=vscode,
    )  # fmt: skip
    made = make(call, wish, git=git)
    if not call.talk.json:
        call.talk.next(f"ds01 launch {name}", f"ds01 project show {name}")
    return made


def beginning(call: Call, source: str, name: str) -> None:
    """Copy what the project begins from: a template of the server, a repository without its history, a folder."""
    folder = os.path.join(file.workspaces(call.home), checked(name, "project name"))
    cloned = ""
    if source.startswith("template:"):
        source = origin.template(source.partition(":")[2])
    elif origin.is_address(source):
        source = cloned = origin.clone(source, call.home, watched=call.talk.watched, shallow=True).folder
    source = os.path.realpath(os.path.expanduser(source))
    try:
        if not os.path.isdir(source):
            raise Ds01Error(
                BAD_REQUEST, f"There is no folder {source}.", hint="--from takes a folder, an address, or template:NAME"
            )
        paths = copying.files(source)
        if call.talk.dry_run:
            call.talk.say(f"{show.count(len(paths), 'file')} would be copied from {source}.")
            return
        copied = copying.copy(source, paths, folder)
        renaming.rename(folder, name)
        _copied(call, copied)
    finally:
        if cloned:
            shutil.rmtree(cloned, ignore_errors=True)


def _copied(call: Call, copied: Copied) -> None:
    call.talk.done(f"{show.count(len(copied.done), 'file')} copied; data, results and secrets stayed behind.")
    if copied.kept:
        call.talk.say(f"Kept as they are, though they differ from those there: {', '.join(copied.kept)}.")
    if copied.left_out:
        call.talk.warn(f"Changed while they were copied, and left out: {', '.join(copied.left_out)}.")


def make(call: Call, wish: Wish, *, git: bool = False) -> int:
    """Make the project and tell of it, but for what is next."""
    plan = scaffold.plan(wish, call.home)
    if call.talk.dry_run:
        return _told(call, plan, plan.paths(State.NEW), git=git)
    call.standing = f"What was written so far stands in {plan.folder}; the same command goes on from there."
    written = scaffold.create(plan)
    problem = scaffold.git(plan.folder) if git else ""
    call.standing = ""
    if problem:
        call.talk.warn(problem)
    return _told(call, plan, written, git=git and not problem)


def asked_type(call: Call) -> str:
    """Asked for only where somebody can answer: there is a sensible one anyway."""
    if call.talk.yes or not call.talk.somebody_there:
        return kinds.DEFAULT
    options = [(kind.name, kind.purpose) for kind in kinds.KINDS.values()]
    return call.talk.choose("What is it for?", options, flag="--type", default=kinds.DEFAULT)


def _line(text: str) -> str:
    if any(not letter.isprintable() for letter in text):
        raise Ds01Error(BAD_REQUEST, "The description must be one line of text.", hint='--desc "Cells in images"')
    return text


def _told(call: Call, plan: Plan, written: tuple[str, ...], *, git: bool) -> int:
    talk = call.talk
    kept = plan.paths(State.KEPT)
    if plan.note:
        talk.warn(plan.note)
    if talk.json:
        talk.emit(
            NewProject(
                name=plan.wish.name, folder=plan.folder, type=plan.wish.kind.name, adopted=plan.adopted,
                written=written, kept=kept, git=git,
            )
        )  # fmt: skip
        return 0
    if talk.dry_run:
        for path in written:
            talk.data(f"{plan.folder}/{path}")
        talk.say("Nothing was written." if written else "There is nothing to write.")
    elif written:
        if plan.proposes:
            known.tell_proposal(call, plan.there)
        talk.done(f"{plan.folder} is {'now ' if plan.adopted else ''}a project ({show.count(len(written), 'file')}).")
    else:
        talk.done(f"{plan.folder} was a project already; nothing was missing.")
    if kept:
        talk.say(f"Kept as they are, though DS01 would write them differently: {', '.join(kept)}.")
    return 0
