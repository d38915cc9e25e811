"""The image before a launch or a job: built where there is none, asked about where it is behind the project file."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.domain.errors import NO_IMAGE, Ds01Error

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from ds01.domain.project import Project
    from ds01.projects.recipe import Recipe
    from ds01.wire.jobs import JobPlan
    from ds01.wire.launches import LaunchPlan


def build_first(
    call: Call, plan: LaunchPlan | JobPlan, project: Project | None, recipe: Recipe | None, *, as_it_is: bool
) -> None:
    """Build what ``plan`` says must be built. ``as_it_is``: one that is behind is used without a question. Raises
    Ds01Error (``image.unknown``) for an image that is not the project's own.
    """
    if not plan.build:
        return
    if project is None or recipe is None:
        raise Ds01Error(NO_IMAGE, f"There is no image '{plan.image}'.", hint="ds01 image list")
    if plan.missing:
        call.talk.say(f"{project.name} has no image yet, so it is built first.")
    elif as_it_is or not call.talk.confirm(
        f"The image of {project.name} is behind: {plan.build}. Build it now?",
        default=True, flag="--yes, or --no-build to use it as it is",
    ):  # fmt: skip
        return
    from ds01.cli.building import build  # most need nothing built, and have no time to load what would

    build(call, project, recipe)
