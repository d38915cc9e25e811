"""The builds of a project's image: which there are, which one is meant, and what is in it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ds01.cli import project as known
from ds01.cli.call import Call
from ds01.cli.shell import gateway
from ds01.domain.errors import NO_IMAGE, Ds01Error
from ds01.domain.image import repository
from ds01.domain.names import image_repository, nearest
from ds01.projects import cache, inside
from ds01.wire.images import ImageView, InstalledView

LATEST = "latest"


def name_of(call: Call, name: str | None) -> str:
    """The project that is meant; it needs no folder any more."""
    return name or known.meant(call, None).name


def builds(call: Call, project: str) -> list[ImageView]:
    """All builds of a project of mine, the newest first. Raises Ds01Error (``image.unknown``) when there is none."""
    wanted = image_repository(os.geteuid(), project)
    found = [image for image in call.client.images() if any(repository(tag) == wanted for tag in image.tags)]
    if not found:
        call.client.image(project)  # says what there is instead
    return sorted(found, key=lambda image: image.created_at, reverse=True)


def current(found: Sequence[ImageView]) -> ImageView | None:
    """The build that the project's name points to."""
    return next((image for image in found if any(tag.endswith(f":{LATEST}") for tag in image.tags)), None)


def title(image: ImageView) -> str:
    """What a build is called: its own tag, or ``latest`` when it has no other."""
    tags = sorted(tag.rpartition(":")[2] for tag in image.tags)
    return next((tag for tag in reversed(tags) if tag != LATEST), LATEST)


def one(found: Sequence[ImageView], project: str, build: str) -> ImageView:
    """The build called so: by its tag, or the beginning of it. Raises Ds01Error (``image.unknown``)."""
    named = [image for image in found if any(tag.rpartition(":")[2] == build for tag in image.tags)]
    named = named or [image for image in found if title(image).startswith(build)]
    if len(named) == 1:
        return named[0]
    near = nearest(build, [title(image) for image in found])
    raise Ds01Error(
        NO_IMAGE, f"'{build}' is no build of {project}." if not named else f"Several builds begin with '{build}'.",
        reason=f"Did you mean '{near}'?" if near and not named else "",
        hint=f"ds01 image history {project}",
    )  # fmt: skip


def before(found: Sequence[ImageView], image: ImageView) -> ImageView | None:
    """The build before this one."""
    return next((each for each in found if each.created_at < image.created_at), None)


def meant(call: Call, words: str) -> tuple[str, ImageView]:
    """What ``thesis`` or ``thesis:20261126-0915`` means: the project, and its build."""
    whole = image_repository(os.geteuid(), "")
    project, _, build = words.removeprefix(whole).partition(":")
    found = builds(call, project)
    return project, one(found, project, build or LATEST) if build or current(found) else found[0]


def packages(call: Call, image: ImageView) -> tuple[InstalledView, ...]:
    """What is in a build."""
    folder = os.path.join(cache.folder(call.home), "images")
    return inside.packages(gateway(call), image.reference, image.id, folder=folder)
