"""Which project is meant, and what is known about it: read as the user, compared with what ds01d shows."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

from ds01.cli.call import Call
from ds01.domain.errors import BAD_REQUEST, NO_PROJECT, Ds01Error
from ds01.domain.image import Image, ImageId, stale_reason
from ds01.domain.names import image_reference
from ds01.domain.people import Uid, User
from ds01.domain.project import Project, RunDefaults
from ds01.projects import file
from ds01.wire.containers import ContainerView
from ds01.wire.images import BuildSettings, ImageView
from ds01.wire.projects import ProjectView

if TYPE_CHECKING:
    from ds01.projects.recognise import Proposal


def me() -> User:
    """The account this process runs as. One that the directory does not know is called by its number."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return User(uid=Uid(uid), gid=gid, login=str(uid), home=os.path.expanduser("~"))
    return User(uid=Uid(uid), gid=entry.pw_gid, login=entry.pw_name, home=entry.pw_dir)


def meant(call: Call, name: str | None) -> Project:
    """The project that is named, else the one around the current folder, else the only one. Raises Ds01Error."""
    if name:
        return file.named(name, call.home)
    around = file.enclosing(call.here)
    if around is not None:
        return file.load(around)
    return file.named(choose(call), call.home)


def choose(call: Call) -> str:
    """The only project one has; else the one that is meant, asked where somebody can answer. Raises Ds01Error."""
    known = file.names(call.home)
    if len(known) == 1:
        return known[0]
    if not known:
        raise Ds01Error(NO_PROJECT, "You have no project yet.", hint="ds01 init NAME")
    if call.talk.somebody_there and not call.talk.yes:
        return call.talk.choose(
            "Which project?", [(name, "") for name in known], flag="the project's name", default=known[0]
        )
    raise Ds01Error(
        BAD_REQUEST, "Which project?", reason=f"You have {', '.join(known)}, and this folder belongs to none of them.",
        hint=f"ds01 {call.path} {known[0]}",
    )  # fmt: skip


def reference(project: str) -> str:
    """The image of a project of mine."""
    return image_reference(os.geteuid(), project)


def stale(call: Call, project: Project, image: ImageView, settings: BuildSettings) -> str:
    """Why this image is not what the project says now; ``""`` when it is."""
    from ds01.cli.bases import base_id
    from ds01.projects import prepare

    wanted = prepare.recipe(project, settings)
    return stale_reason(image_of(image), wanted.spec, base_id(call, wanted, settings))


def image_of(view: ImageView) -> Image:
    """A wire image as the rules know it."""
    from datetime import datetime

    return Image(
        id=ImageId(view.id), tags=view.tags, created_at=datetime.fromisoformat(view.created_at),
        size_bytes=view.size_bytes, labels=view.labels,
    )  # fmt: skip


def view(
    project: Project,
    *,
    image: ImageView | None = None,
    stale: str = "",
    containers: tuple[ContainerView, ...] = (),
) -> ProjectView:
    """A project for printing."""
    return ProjectView(
        name=project.name, folder=project.folder, type=project.type, description=project.description,
        base=project.image.base, packages=project.image.python, apt=project.image.apt,
        requirements=project.image.requirements, dockerfile=project.image.dockerfile, run=settings_of(project.run),
        image=image.reference if image else "", stale=stale,
        containers=tuple(container.name for container in containers if container.project == project.name),
    )  # fmt: skip


def settings_of(run: RunDefaults) -> dict[str, str]:
    """What the project file sets of how containers run."""
    values = {
        "gpus": run.gpus or "",
        "memory": run.memory,
        "time": run.time,
        "data": ", ".join(run.data),
        "on_stop": run.on_stop,
        "env": ", ".join(f"{name}={value}" for name, value in run.environment.items()),
        "ports": ", ".join(f"{name}={port}" for name, port in run.ports.items()),
    }
    return {name: value for name, value in values.items() if value}


def tell_proposal(call: Call, found: Proposal) -> None:
    """What the project file takes over from a folder, and what not."""
    for line in found.found:
        call.talk.say(f"  {call.talk.err.sign('·', '-')} {line}")
    for note in found.notes:
        call.talk.warn(note)
