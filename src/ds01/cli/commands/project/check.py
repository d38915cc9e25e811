"""``ds01 project check``: every mistake with its place, before anything is built."""

from __future__ import annotations

import os

from ds01.cli import project as known
from ds01.cli.call import Call
from ds01.domain.errors import Ds01Error, Exit, Problem
from ds01.domain.project import Project
from ds01.projects import file, plainfile, requirements
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
        _check(file.named(name, call.home))
    except Ds01Error as error:
        return error.problem
    return None


def _check(project: Project) -> None:
    """What a build would read: the file is read already, then the files it names."""
    image = project.image
    if image.dockerfile:
        plainfile.read(os.path.join(project.folder, image.dockerfile))
        return
    for path, text in requirements.of_image(project.folder, image)[1].items():
        list(requirements.entries(path, text.decode()))


def _view(call: Call, name: str, problem: Problem | None) -> ProjectView:
    if problem is None:
        return known.view(file.named(name, call.home))
    return ProjectView(name=name, folder=f"{file.workspaces(call.home)}/{name}", problem=problem.message)


def _tell(call: Call, name: str, problem: Problem | None) -> None:
    style = call.talk.err
    if problem is None:
        call.talk.done(f"{name}: the project file is right.")
        return
    call.talk.tell(f"{style('red', style.sign('✗', 'Error:'))} {problem.message}")
    for text in (problem.reason, problem.hint):
        if text:
            call.talk.tell(text)
