"""Before a build: which versions its packages would take, or which two lines exclude each other.

Every build that lists packages is resolved first, however it was asked for: a conflict is told in seconds and by name,
and no step of the build ran.
"""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.shell import gateway
from ds01.domain.project import Project
from ds01.projects import trial
from ds01.projects.recipe import Recipe


def lists_packages(recipe: Recipe) -> bool:
    """Whether there is anything to resolve. What a Dockerfile of the user's own installs, only the build knows."""
    return recipe.contents is not None and bool(recipe.contents.asked)


def resolve(call: Call, project: Project, recipe: Recipe) -> tuple[str, ...]:
    """What the build would put on top of the base, as ``name==version``; empty when that cannot be known before it.

    Raises Ds01Error (``image.build``) when the packages exclude each other. The base has to be here.
    """
    if not lists_packages(recipe):
        return ()
    with call.talk.step("Resolving the packages"):
        found = trial.resolve(gateway(call), recipe, project.name)
    if found.unknown:
        call.talk.detail(f"What the packages resolve to is not known before the build: {found.unknown}")
    elif found.installs:
        call.talk.say(f"On top of the base: {show.names([_told(line) for line in found.installs], most=8)}.")
    return found.installs


def _told(line: str) -> str:
    return line.replace("==", " ")
