"""``ds01 project share``: a teammate may use a project where it lies."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.table import pairs
from ds01.domain.errors import BAD_REQUEST, Ds01Error, Exit
from ds01.domain.project import Project
from ds01.projects import file, share
from ds01.projects.share import Shared
from ds01.wire.projects import ShareView


def run(call: Call, *, name: str, with_: str | None, write: bool, read_only: bool, stop: bool) -> int:
    """Share it, take it back, or say with whom it is shared."""
    project = file.named(name, call.home)
    if with_ is None:
        if stop or read_only or write:
            raise Ds01Error(BAD_REQUEST, "With whom?", hint=f"ds01 project share {name} --with LOGIN")
        return _list(call, project)
    if write + read_only + stop > 1:
        raise Ds01Error(BAD_REQUEST, "--write, --read-only and --stop exclude each other.", hint="Give one of them.")
    who = share.somebody(with_)
    if call.talk.dry_run:
        done = "no longer be shared" if stop else "be shared to read and write" if write else "be shared to read"
        call.talk.say(f"{project.folder} would {done} with {with_}. Nothing was changed.")
        return 0
    call.standing = f"Some of it is done; the same command goes on, and --stop takes it back: {project.folder}"
    with call.talk.step(f"Closing {project.folder}" if stop else f"Opening {project.folder}"):
        shared = share.end(project.folder, call.home, who) if stop else share.begin(
            project.folder, call.home, who, write=write
        )  # fmt: skip
    code = _stopped(call, project, with_, shared) if stop else _told(call, project, with_, shared, write=write)
    if call.talk.json:
        _list(call, project)
    return code


def _stopped(call: Call, project: Project, name: str, result: Shared) -> int:
    if not result.left_out:
        call.talk.done(f"{project.name} is shared with {name} no longer.")
        return Exit.DONE
    call.talk.warn(
        f"{name} is taken out of everything that is yours in {project.folder}. What is not yours, or cannot be opened,"
        f" stays as it is, and whoever owns it may still change it: {', '.join(result.left_out)}."
    )
    call.talk.say("Remove these, or replace them with copies of your own, and type it again.")
    call.talk.next(f"ds01 project share {project.name} --with {name} --stop")
    return Exit.FAILED


def _told(call: Call, project: Project, name: str, result: Shared, *, write: bool) -> int:
    call.talk.done(f"{name} may {'read and write' if write else 'read'} {project.folder}.")
    if write:
        call.talk.warn(
            f"Whoever may write here can make programs run as you: you, your containers and your jobs run what lies in"
            f" this folder. What git keeps {name} may only read."
        )
    if result.private:
        call.talk.say(f"Left out, because they may hold secrets: {show.names(result.private, most=8)}.")
    if result.left_out:
        call.talk.warn(f"Left as they are, because they are not yours: {show.names(result.left_out)}.")
    if result.reachable:
        call.talk.warn(
            f"{name} can pass through your home now, so what everybody may read there is open to {name}, too:"
            f" {show.names(result.reachable, most=8)}. To close one: chmod o-rwx PATH"
        )
    call.talk.say(f"For a copy with the same packages, {name} types: ds01 init {project.name} --from {project.folder}")
    call.talk.next(f"ds01 project share {project.name}", f"ds01 project share {project.name} --with {name} --stop")
    return Exit.DONE


def _list(call: Call, project: Project) -> int:
    views = [
        ShareView(project=project.name, who=share.name_of(who), may="write" if write else "read")
        for who, write in share.with_whom(project.folder)
    ]
    if call.talk.json:
        call.talk.emit(views)
        return 0
    for line in pairs([(view.who, f"may {view.may}") for view in views], call.talk.out, indent=""):
        call.talk.data(line)
    if not views:
        call.talk.say(f"{project.name} is shared with nobody.")
    call.talk.next(f"ds01 project share {project.name} --with LOGIN")
    return 0
