"""``ds01 init``: a new project, or an existing folder made one."""

from __future__ import annotations

import shutil

from ds01.cli import show
from ds01.cli.call import Call
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.projects import kinds, scaffold
from ds01.projects.scaffold import Plan, State, Wish
from ds01.wire.projects import NewProject


def run(
    call: Call, *, name: str, type_: str | None, blank: bool, desc: str | None, base: str | None, lean: bool, git: bool
) -> int:
    """Plan, say, write."""
    if blank and type_ not in (None, "blank"):
        raise Ds01Error(BAD_REQUEST, f"--blank and --type {type_} exclude each other.", hint="Leave one of them out.")
    if git and shutil.which("git") is None:
        raise Ds01Error(BAD_REQUEST, "git is not installed on this server.", hint="Leave --git out, or ask your admin.")
    kind = scaffold.kind("blank" if blank else type_ or _type(call))
    wish = Wish(name=name, kind=kind, description=_line(desc or ""), base=base or "minimal", lean=lean)
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


def _type(call: Call) -> str:
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
        talk.done(f"{plan.folder} is {'now ' if plan.adopted else ''}a project ({show.count(len(written), 'file')}).")
    else:
        talk.done(f"{plan.folder} was a project already; nothing was missing.")
    if kept:
        talk.say(f"Kept as they are, though DS01 would write them differently: {', '.join(kept)}.")
    talk.next(f"ds01 launch {plan.wish.name}", f"ds01 project show {plan.wish.name}")
    return 0
