"""Turns a project's folder into a recipe, and writes the generated Dockerfile where people can see it.

A Dockerfile that somebody edited is never overwritten: it is shown as a difference, and either it becomes the user's
(``dockerfile = "Dockerfile"``) or she says that DS01 may write it anew.
"""

from __future__ import annotations

import os

from ds01.domain.errors import NEEDS_ANSWER, Ds01Error
from ds01.domain.project import Project
from ds01.domain.record import replace
from ds01.projects import dockerfile, plainfile, requirements
from ds01.projects.dockerfile import CA_FILE
from ds01.projects.foreign import FOLDER
from ds01.projects.recipe import Recipe, generated, own, told
from ds01.wire.images import BuildSettings

NAME = "Dockerfile"
IGNORE = ".dockerignore"


def recipe(project: Project, settings: BuildSettings) -> Recipe:
    """What this project's image is made of now. Nothing is written. Raises Ds01Error."""
    text = _own_text(project)
    if text is not None:
        ignore = os.path.join(project.folder, IGNORE)
        ignored = plainfile.read(ignore) if os.path.lexists(ignore) else ""
        return own(text, project.image.dockerfile, ignored, settings)
    first, files = requirements.of_image(project.folder, project.image)
    made = generated(replace(project.image, requirements=first), settings, files)
    return replace(made, asked=told(project.image))


def own_dockerfile(project: Project) -> str:
    """The Dockerfile of the user's that this project is built from as it is; ``""`` when DS01 writes one."""
    return project.image.dockerfile if _own_text(project) is not None else ""


def difference(project: Project, made: Recipe) -> str:
    """How the Dockerfile on disk differs from the generated one, when somebody edited it; else ``""``."""
    there = _on_disk(project)
    if not made.generated or there is None or there == made.dockerfile or dockerfile.is_unedited(there):
        return ""
    import difflib  # only where there is a difference to show

    lines = difflib.unified_diff(
        there.splitlines(), made.dockerfile.splitlines(), "Dockerfile (yours)", "Dockerfile (DS01's)", lineterm=""
    )
    return "\n".join(lines)


def write(project: Project, made: Recipe, *, overwrite: bool = False) -> bool:
    """Write the generated Dockerfile; returns whether it changed.

    Raises Ds01Error (``input.needed``) when it was edited and ``overwrite`` is not said.
    """
    if not made.generated:
        return False
    there = _on_disk(project)
    if there is not None and not dockerfile.is_unedited(there) and not overwrite:
        raise _edited(project, there)
    _write_made(project, made)
    if there == made.dockerfile:
        return False
    plainfile.replace(os.path.join(project.folder, NAME), made.dockerfile)
    return True


def _own_text(project: Project) -> str | None:
    """The user's Dockerfile; None when there is none, or when the named one is still as DS01 wrote it."""
    if not project.image.dockerfile:
        return None
    text = plainfile.read(os.path.join(project.folder, project.image.dockerfile))
    return None if project.image.dockerfile == NAME and dockerfile.is_unedited(text) else text


def _on_disk(project: Project) -> str | None:
    path = os.path.join(project.folder, NAME)
    return plainfile.read(path) if os.path.lexists(path) else None


def _write_made(project: Project, made: Recipe) -> None:
    """Keep what DS01 made for the build beside the Dockerfile, so that plain ``docker build`` works there too."""
    for inside, content in (made.context or {}).items():
        if inside != CA_FILE and not inside.startswith(f"{FOLDER}/"):
            continue
        path, text = os.path.join(project.folder, inside), content.decode()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.lexists(path) or plainfile.read(path) != text:
            plainfile.replace(path, text)


def _edited(project: Project, there: str) -> Ds01Error:
    mine = dockerfile.is_generated(there)
    return Ds01Error(
        NEEDS_ANSWER,
        f"{os.path.join(project.folder, NAME)} "
        + ("was edited since DS01 wrote it." if mine else "was not written by DS01."),
        reason="DS01 does not overwrite your changes.",
        hint='To build it as it is, write  dockerfile = "Dockerfile"  under [image] in the project file; '
        f"to have DS01 write it anew: ds01 image create {project.name} --overwrite-dockerfile",
    )
