"""``ds01 project check``: every mistake with its place, before anything is built."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ds01.cli import project as known
from ds01.cli import show
from ds01.cli.call import Call
from ds01.domain.errors import Ds01Error, Exit, Problem, together
from ds01.domain.project import Project
from ds01.domain.record import replace
from ds01.projects import dockerfile_lines, file, prepare, requirements
from ds01.projects.recipe import unknown_base
from ds01.wire.projects import ProjectView


def run(call: Call, *, name: str | None) -> int:
    """Check one project, or all."""
    names = [name] if name else _names(call)
    found = [(each, _problem(call, each)) for each in names]
    wrong = [problem for _, problem in found if problem is not None]
    if call.talk.json:
        call.talk.emit([_view(call, each, problem) for each, problem in found])
    for each, problem in found:
        _tell(call, each, problem)
    if not names:
        call.talk.say("You have no projects yet.")
        call.talk.next("ds01 init NAME")
    return max((int(problem.kind.exit) for problem in wrong), default=int(Exit.DONE))


def _names(call: Call) -> list[str]:
    around = file.enclosing(call.here)
    inside = around is not None and os.path.dirname(around) == file.workspaces(call.home)
    return [os.path.basename(around)] if around is not None and inside else list(file.names(call.home))


def _problem(call: Call, name: str) -> Problem | None:
    try:
        _check(call, file.named(name, call.home))
    except Ds01Error as error:
        return error.problem
    return None


def _check(call: Call, project: Project) -> None:
    """What a build would read: the file is read already, then the base and the files it names. Raises Ds01Error."""
    if prepare.own_dockerfile(project):
        return
    wrong = [*_base(call, project), *requirements.mistakes(project.folder, project.image)]
    if wrong:
        raise together(wrong)


def _base(call: Call, project: Project) -> Iterator[Ds01Error]:
    """Whether the server has the base, as far as a server answers."""
    try:
        known_here = call.client.build_settings().bases
    except Ds01Error:
        return
    text = unknown_base(project.image.base, known_here)
    if text:
        yield file.mistaken(project.folder, ("image", "base"), text)


def _warnings(project: Project) -> tuple[str, ...]:
    own = prepare.own_dockerfile(project)
    keys = dockerfile_lines.unused(project.image) if own else ()
    if not keys:
        return ()
    verb = "counts" if len(keys) == 1 else "count"
    return (
        f"{show.names(keys, most=4)} under [image] of {project.name} {verb} for nothing: the image is built from {own}"
        " as it is. Write it there.",
    )


def _view(call: Call, name: str, problem: Problem | None) -> ProjectView:
    if problem is None:
        project = file.named(name, call.home)
        return replace(known.view(project), warnings=_warnings(project))
    return ProjectView(name=name, folder=f"{file.workspaces(call.home)}/{name}", problem=problem.message)


def _tell(call: Call, name: str, problem: Problem | None) -> None:
    style = call.talk.err
    if problem is None:
        call.talk.done(f"{name}: the project file is right.")
        for text in _warnings(file.named(name, call.home)):
            call.talk.warn(text)
        return
    call.talk.tell(f"{style('red', style.sign('✗', 'Error:'))} {problem.message}")
    for text in (problem.reason, problem.hint):
        if text:
            call.talk.tell(text)
