"""``ds01 image rollback``: an earlier build becomes the project's image again, and its project file with it."""

from __future__ import annotations

import json
import os

from ds01.cli import builds, show
from ds01.cli.call import Call
from ds01.cli.shell import docker
from ds01.domain.errors import NO_IMAGE, Ds01Error
from ds01.domain.labels import Label
from ds01.domain.names import image_repository
from ds01.projects import edit, file, prepare
from ds01.projects.edit import Edit
from ds01.wire.images import ImageView, RollbackView


def run(call: Call, *, name: str | None, build: str | None, keep_project_file: bool) -> int:
    """Say what it would be, move the name, put the project file back where that is wanted."""
    project = builds.name_of(call, name)
    found = builds.builds(call, project)
    now = builds.current(found)
    wanted = _wanted(found, project, now, build)
    change = None if keep_project_file else _edit(call, project, wanted)
    keeping = sorted(c for image in found if image.id != wanted.id for c in image.containers)
    view = RollbackView(
        project=project, before=builds.title(now) if now else "", after=builds.title(wanted),
        edits=change.changes if change else (), containers=tuple(keeping),
    )  # fmt: skip
    _foretell(call, view, wanted)
    if not call.talk.dry_run:
        change = _accepted(call, change)
        _do(call, project, wanted, change)
    if call.talk.json:
        call.talk.emit(view if change or call.talk.dry_run else _without_edits(view))
    elif not call.talk.dry_run:
        _tell(call, view, changed=change is not None)
    return 0


def _wanted(found: list[ImageView], project: str, now: ImageView | None, build: str | None) -> ImageView:
    """The build that is named, or the one before the present one."""
    wanted = builds.one(found, project, build) if build else builds.before(found, now or found[0])
    if wanted is None:
        raise Ds01Error(
            NO_IMAGE, f"There is no earlier build of {project}.", reason="A build that was deleted is gone.",
            hint=f"ds01 image history {project}",
        )  # fmt: skip
    return wanted


def _edit(call: Call, project: str, wanted: ImageView) -> Edit | None:
    """What the project file must say for that build to be what it asks for; None when that cannot be known."""
    said = wanted.labels.get(Label.PACKAGES, "")
    try:
        change = edit.restored(file.find(project, call.home), json.loads(said)) if said else None
    except (Ds01Error, ValueError):
        return None
    return change if change and change.changes else None


def _foretell(call: Call, view: RollbackView, wanted: ImageView) -> None:
    call.talk.say(
        f"{view.project}: from build {view.before or 'none'} to {view.after}, {show.ago(wanted.created_at)} old."
    )
    if view.edits:
        call.talk.say("Its project file said something else:")
        for line in view.edits:
            call.talk.say(f"  {line}")
    if view.containers:
        call.talk.say(f"{show.names(view.containers, most=8)} keeps the image it was made from.")
    if call.talk.dry_run:
        call.talk.say("Nothing was changed.")


def _accepted(call: Call, change: Edit | None) -> Edit | None:
    question = "Write that into the project file, so that the next launch does not find the image behind?"
    if change is None or call.talk.confirm(question, default=True, flag="--yes or --keep-project-file"):
        return change
    return None


def _do(call: Call, project: str, wanted: ImageView, change: Edit | None) -> None:
    """The file first: it can fail, and the name is moved in one step."""
    if change is not None:
        change.save()
    try:
        docker(call).tag(wanted.reference, image_repository(os.geteuid(), project), builds.LATEST)
    except (Ds01Error, KeyboardInterrupt):
        if change is not None:
            change.undo()
        raise
    if change is not None:
        restored = file.load(file.find(project, call.home))
        recipe = prepare.recipe(restored, call.client.build_settings())
        if not prepare.difference(restored, recipe):
            prepare.write(restored, recipe)


def _without_edits(view: RollbackView) -> RollbackView:
    from ds01.domain.record import replace

    return replace(view, edits=())


def _tell(call: Call, view: RollbackView, *, changed: bool) -> None:
    call.talk.done(f"New containers of {view.project} are made from build {view.after}.")
    if view.edits and not changed:
        call.talk.say("The project file is as it was: a launch will say that the image is behind it.")
    again = f"ds01 launch {view.project} --recreate" if view.containers else f"ds01 launch {view.project}"
    call.talk.next(again, f"ds01 image rollback {view.project} {view.before} takes it back")
