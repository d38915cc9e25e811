"""A project: one folder, one project file, one image, one set of packages.

The values here are what ``ds01.toml`` says after reading; reading and writing the file is ``ds01.projects``,
because that happens as the user.
"""

from __future__ import annotations

from ds01.domain.record import made, record


@record
class ImageRecipe:
    """What the project's image is made of. ``dockerfile`` set and not ours: the user's own, built as is."""

    base: str = "minimal"
    python: tuple[str, ...] = ()
    requirements: str = ""
    apt: tuple[str, ...] = ()
    dockerfile: str = ""


@record
class RunDefaults:
    """How the project's containers run unless a command says otherwise. ``gpus`` None: one if allowed."""

    gpus: str | None = None
    memory: str = ""
    time: str = ""
    data: tuple[str, ...] = ()
    on_stop: str = ""
    environment: dict[str, str] = made(factory=dict)
    ports: dict[str, int] = made(factory=dict)


@record
class Project:
    """One project. ``folder`` is the absolute path of the workspace that holds it."""

    name: str
    type: str
    folder: str
    image: ImageRecipe
    run: RunDefaults
    description: str = ""
