"""``ds01 image update``: a change of the project file, then the build it asks for; both or neither."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ds01.cli import editing
from ds01.cli import project as known
from ds01.cli.bases import base_id
from ds01.cli.building import build, write
from ds01.cli.call import Call
from ds01.cli.imaging import plan, tell
from ds01.cli.resolving import resolve
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.project import Project
from ds01.domain.record import replace
from ds01.projects import dockerfile_lines, file, prepare
from ds01.projects import edit as edits
from ds01.projects.build import Built
from ds01.projects.edit import Edit
from ds01.projects.recipe import Recipe
from ds01.wire.images import BuildSettings


def run(
    call: Call, *, name: str | None, add: Sequence[str], remove: Sequence[str], add_apt: Sequence[str],
    requirements: str | None, edit: bool, rebuild: bool, no_cache: bool, overwrite_dockerfile: bool,
) -> int:  # fmt: skip
    """Edit, resolve, build. ``--rebuild`` says what is the case anyway; it is there for those who want to say it."""
    project = known.meant(call, name)
    if edit and (add or remove or add_apt or requirements):
        raise Ds01Error(
            BAD_REQUEST, "--edit and the options that edit for you exclude each other.",
            hint=f"ds01 image update {project.name} --edit",
        )  # fmt: skip
    change = _change(call, project, add, remove, add_apt, requirements, by_hand=edit)
    settings = call.client.build_settings()
    changed = file.of_text(project.folder, change.after)
    recipe = prepare.recipe(changed, settings)
    planned = replace(plan(call, changed, recipe, settings, anew=no_cache), edits=change.changes)
    for line in change.changes:
        call.talk.say(f"  {line}")
    ahead = planned.reason and (change.changes or call.talk.dry_run)
    installs = _resolved(call, changed, recipe, settings, anew=no_cache) if ahead else None
    planned = replace(planned, packages=installs or ())
    if call.talk.dry_run:
        return tell(call, planned, prepare.difference(changed, recipe))
    if not planned.reason:
        change.save()
        editing.dismiss(project)
        write(call, changed, recipe, overwrite=overwrite_dockerfile)
        return tell(call, planned)

    def make() -> Built:
        return build(call, changed, recipe, anew=no_cache, overwrite=overwrite_dockerfile, installs=installs)

    built = _both(call, changed, change, settings, make, overwrite=overwrite_dockerfile)
    editing.dismiss(project)
    tell(call, planned, built=built)
    return _replace(call, changed) if built.changed and not call.talk.json else 0


def _change(
    call: Call, project: Project, add: Sequence[str], remove: Sequence[str], add_apt: Sequence[str],
    requirements: str | None, *, by_hand: bool,
) -> Edit:  # fmt: skip
    if by_hand:
        return editing.edited(call, project)
    named = _inside(call, project, requirements) if requirements else ""
    own = prepare.own_dockerfile(project)
    if own and (add or remove or add_apt or named):
        wanted = dockerfile_lines.lines(python=add, apt=add_apt, requirements=named)
        raise dockerfile_lines.refusal(project, own, wanted, remove)
    return edits.plan(project.folder, add=add, remove=remove, add_apt=add_apt, requirements=named)


def _inside(call: Call, project: Project, path: str) -> str:
    """A file as the project file names it, from where one types it or from the project's folder."""
    typed = os.path.realpath(os.path.join(call.here, os.path.expanduser(path)))
    folder = os.path.realpath(project.folder)
    if typed.startswith(folder + os.sep):
        return os.path.relpath(typed, folder)
    if os.path.isabs(path) or (os.path.exists(typed) and not os.path.exists(os.path.join(folder, path))):
        raise Ds01Error(
            BAD_REQUEST, f"{path} is not in the project's folder.",
            reason="The image is built from the project alone, on any machine.",
            hint=f"cp {path} {project.folder}/",
        )  # fmt: skip
    return path


def _resolved(
    call: Call, project: Project, recipe: Recipe, settings: BuildSettings, *, anew: bool
) -> tuple[str, ...] | None:  # fmt: skip
    """Which versions it would take, before anything is written. None where the base is not here: the build fetches it,
    and resolves then.
    """
    base = base_id(call, recipe, settings) if recipe.generated else ""
    if not base:
        return None
    call.standing = "Nothing was changed."
    return resolve(call, project, recipe, base, anew=anew)


def _both(
    call: Call, project: Project, change: Edit, settings: BuildSettings, make: Callable[[], Built], *, overwrite: bool
) -> Built:
    """Save the edit and build; a build that fails, or is interrupted, takes the edit back."""
    change.save()
    try:
        return make()
    except (Ds01Error, KeyboardInterrupt):
        if change.undo():
            restored = file.load(project.folder)
            prepare.write(restored, prepare.recipe(restored, settings), overwrite=overwrite)
            call.talk.say("The project file is as it was before.")
            if os.path.lexists(editing.draft_path(restored)):
                call.talk.say(f"Your text is kept: ds01 image update {project.name} --edit goes on with it.")
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
