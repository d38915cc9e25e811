"""What [image] lists, as lines of a Dockerfile of one's own: there the file alone says what is in the image.

DS01 never edits such a file, so what it would have written into the project file it says, for its owner to put there.
"""

from __future__ import annotations

from collections.abc import Sequence

from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.project import ImageRecipe, Project
from ds01.projects import packages
from ds01.projects.dockerfile import shell_word


def unused(image: ImageRecipe) -> tuple[str, ...]:
    """The keys of [image] that count for nothing where the Dockerfile is the user's."""
    said = {
        "base": image.base != ImageRecipe().base, "python": image.python, "requirements": image.requirements,
        "apt": image.apt,
    }  # fmt: skip
    return tuple(key for key, value in said.items() if value)


def lines(*, python: Sequence[str] = (), apt: Sequence[str] = (), requirements: str = "") -> tuple[str, ...]:
    """The instructions that install these. Raises Ds01Error (``package.invalid``) for what cannot be a package."""
    pip = " ".join(shell_word(entry.text) for entry in packages.entries(python))
    debian = " ".join(map(packages.apt_package, apt))
    found = []
    if debian:
        found.append(f"RUN apt-get update && apt-get install -y --no-install-recommends {debian}")
    if requirements:
        found += [f"COPY {requirements} /opt/", f"RUN pip install -r /opt/{requirements.rpartition('/')[2]}"]
    if pip:
        found.append(f"RUN pip install {pip}")
    return tuple(found)


def refusal(project: Project, dockerfile: str, wanted: Sequence[str], removed: Sequence[str]) -> Ds01Error:
    """Why packages are not changed in the project file of such a project; ``wanted`` are the lines that do it."""
    put = "\n".join([f"Write into {dockerfile}:", *(f"  {line}" for line in wanted)]) if wanted else ""
    out = f"Take out of {dockerfile} what installs {', '.join(removed)}." if removed else ""
    return Ds01Error(
        BAD_REQUEST, f"{project.name} is built from its own {dockerfile}: the project file's packages are not in it.",
        reason="DS01 builds it as it is and never edits it. Nothing was changed.",
        hint="\n".join([*filter(None, (put, out)), f"Then: ds01 image update {project.name} --rebuild"]),
    )  # fmt: skip
