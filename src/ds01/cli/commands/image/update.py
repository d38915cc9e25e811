"""``ds01 image update``: a change of the project file, then the build it asks for; both or neither."""

from __future__ import annotations

from collections.abc import Sequence

from ds01.cli import project as known
from ds01.cli.building import build, write
from ds01.cli.call import Call
from ds01.cli.imaging import plan, tell
from ds01.domain.errors import Ds01Error
from ds01.domain.project import Project
from ds01.domain.record import replace
from ds01.projects import edit, file, prepare
from ds01.projects.build import Built
from ds01.projects.edit import Edit
from ds01.projects.recipe import Recipe
from ds01.wire.images import BuildSettings


def run(
    call: Call, *, name: str | None, add: Sequence[str], remove: Sequence[str], add_apt: Sequence[str],
    requirements: str | None, rebuild: bool, no_cache: bool, overwrite_dockerfile: bool,
) -> int:  # fmt: skip
    """Edit and build. ``--rebuild`` says what is the case anyway; it is there for those who want to say it."""
    project = known.meant(call, name)
    change = edit.plan(
        project.folder, add=add, remove=remove, add_apt=add_apt, requirements=requirements or ""
    )  # fmt: skip
    settings = call.client.build_settings()
    changed = file.of_text(project.folder, change.after)
    recipe = prepare.recipe(changed, settings)
    planned = replace(plan(call, changed, recipe, settings, anew=no_cache), edits=change.changes)
    for line in change.changes:
        call.talk.say(f"  {line}")
    if call.talk.dry_run:
        return tell(call, planned, prepare.difference(changed, recipe))
    if not planned.reason:
        change.save()
        write(call, changed, recipe, overwrite=overwrite_dockerfile)
        return tell(call, planned)
    built = _both(call, changed, recipe, change, settings, anew=no_cache, overwrite=overwrite_dockerfile)
    tell(call, planned, built=built)
    return _replace(call, changed) if built.changed and not call.talk.json else 0


def _both(
    call: Call, project: Project, recipe: Recipe, change: Edit, settings: BuildSettings, *, anew: bool, overwrite: bool
) -> Built:
    """Save the edit and build; a build that fails, or is interrupted, takes the edit back."""
    change.save()
    try:
        return build(call, project, recipe, anew=anew, overwrite=overwrite)
    except (Ds01Error, KeyboardInterrupt):
        if change.undo():
            restored = file.load(project.folder)
            prepare.write(restored, prepare.recipe(restored, settings), overwrite=overwrite)
            call.talk.say("The project file is as it was before.")
        raise


def _replace(call: Call, project: Project) -> int:
    """Where a container of the project is running: it keeps the old image, unless its owner wants a new one."""
    running = [c.name for c in call.client.containers() if c.project == project.name and c.state == "running"]
    if not running:
        call.talk.next(f"ds01 launch {project.name}")
        return 0
    call.talk.say(f"{', '.join(running)} keeps the image it was made from.")
    again = f"ds01 launch {project.name} --recreate"
    if not call.talk.somebody_there or call.talk.yes:
        call.talk.next(again)
        return 0
    if not call.talk.confirm("Replace it by a new container now? What runs in it is ended.", default=False):
        call.talk.next(again)
        return 0
    from ds01.cli.main import run as again_run

    return again_run(["launch", project.name, "--recreate", "--background"])
