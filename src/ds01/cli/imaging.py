"""What the image commands share: whether a build is needed and why, and how its end is told."""

from __future__ import annotations

from ds01.cli import project as known
from ds01.cli.bases import base_id
from ds01.cli.call import Call
from ds01.domain.errors import NO_IMAGE, Ds01Error
from ds01.domain.image import stale_reason
from ds01.domain.project import Project
from ds01.projects.build import Built
from ds01.projects.recipe import Recipe
from ds01.wire.images import BuildSettings, ImageView
from ds01.wire.projects import BuildView


def plan(call: Call, project: Project, recipe: Recipe, settings: BuildSettings, *, anew: bool = False) -> BuildView:
    """What a build would do now; ``reason`` is ``""`` when there is nothing to do."""
    there = image_of(call, known.reference(project.name))
    reason = "you asked for every step anew" if anew else ""
    if there is None:
        reason = "there is no image yet"
    elif not reason and recipe.generated:
        reason = stale_reason(known.image_of(there), recipe.spec, base_id(call, recipe, settings))
    elif not reason:
        reason = "the Dockerfile is your own, and only the engine can compare what it copies"
    return BuildView(
        project=project.name, reference=known.reference(project.name), spec=recipe.spec,
        id=there.id if there else "", reason=reason, dockerfile=recipe.path,
    )  # fmt: skip


def image_of(call: Call, reference: str) -> ImageView | None:
    """An image of mine, or None."""
    try:
        return call.client.image(reference)
    except Ds01Error as error:
        if error.kind is not NO_IMAGE:
            raise
        return None


def tell(call: Call, planned: BuildView, difference: str = "", *, built: Built | None = None) -> int:
    """Print how it ended, or what would be done."""
    from ds01.domain.record import replace

    talk = call.talk
    if built is not None:
        planned = replace(
            planned, id=built.image_id, tag=built.tag, changed=built.changed, seconds=built.seconds,
            packages=built.installs,
        )  # fmt: skip
    if talk.json:
        talk.emit(planned)
        return 0
    if talk.dry_run:
        talk.say(f"It would be built, because {planned.reason}." if planned.reason else "It is up to date.")
        if difference:
            talk.say("The Dockerfile was edited since DS01 wrote it. DS01 would change this:")
            talk.say(difference)
        talk.say("Nothing was changed.")
        return 0
    if built is None or not built.changed:
        talk.done(f"The image of {planned.project} is up to date.")
        talk.next(f"ds01 launch {planned.project}")
    elif call.path == "image create":
        talk.next(f"ds01 launch {planned.project}")
    return 0
