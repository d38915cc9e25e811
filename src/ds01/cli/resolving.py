"""Before a build: which versions its packages would take, or which two lines exclude each other.

Every build that lists packages is resolved first, however it was asked for: a conflict is told in seconds and by name,
and no step of the build ran.
"""

from __future__ import annotations

import os

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.shell import gateway
from ds01.domain.project import Project
from ds01.projects import cache, trial
from ds01.projects.recipe import Recipe

KEPT_SECONDS = 3600.0
"""How long a package index is taken to say the same."""


def lists_packages(recipe: Recipe) -> bool:
    """Whether there is anything to resolve. What a Dockerfile of the user's own installs, only the build knows."""
    return recipe.contents is not None and bool(recipe.contents.asked)


def resolve(call: Call, project: Project, recipe: Recipe, base: str, *, anew: bool = False) -> tuple[str, ...]:
    """What the build would put on top of the base (``base`` is its id, and it has to be here), as ``name==version``;
    empty when that cannot be known before it. The last answer for a project is kept for an hour: what a dry run found,
    or a build that failed, need not be found out again, unless everything is wanted ``anew``.

    Raises Ds01Error (``image.build``) when the packages exclude each other.
    """
    if not lists_packages(recipe):
        return ()
    place, question = os.path.join(cache.folder(call.home), "resolved", f"{project.name}.json"), f"{recipe.spec} {base}"
    found = cache.kept(place, seconds=KEPT_SECONDS) or ("",)
    if found[0] == question and not anew:
        return _told(call, found[1:])
    with call.talk.step("Resolving the packages"):
        forecast = trial.resolve(gateway(call), recipe, project.name)
    if forecast.unknown:
        call.talk.detail(f"What the packages resolve to is not known before the build: {forecast.unknown}")
        return ()
    cache.keep(place, [question, *forecast.installs])
    return _told(call, forecast.installs)


def _told(call: Call, installs: tuple[str, ...]) -> tuple[str, ...]:
    if installs:
        named = show.names([line.replace("==", " ") for line in installs], most=8)
        call.talk.say(f"On top of the base: {named}.")
    return installs
