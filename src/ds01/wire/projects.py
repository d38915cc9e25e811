"""Projects as the command line prints them. They cross no socket: project files are read as the user."""

from __future__ import annotations

from ds01.domain.record import made, record


@record
class ProjectView:
    """One project. ``problem`` is what is wrong with its file; then only name and folder count.

    ``image`` is the reference of its image, ``""`` when it was never built; ``stale`` is why that is behind.
    """

    name: str
    folder: str
    type: str = ""
    description: str = ""
    base: str = ""
    packages: tuple[str, ...] = ()
    apt: tuple[str, ...] = ()
    requirements: str = ""
    dockerfile: str = ""
    run: dict[str, str] = made(factory=dict)
    image: str = ""
    stale: str = ""
    containers: tuple[str, ...] = ()
    problem: str = ""
    warnings: tuple[str, ...] = ()
    """What may surprise in a file that is right."""
    disk_bytes: int | None = None
    """What its folder takes on the disk; None where that was not measured."""


@record
class ShareView:
    """Somebody a project is shared with. ``may`` is read or write."""

    project: str
    who: str
    may: str


@record
class NewProject:
    """What ``init`` did or would do. ``kept`` are files that were there and differ from what would be written."""

    name: str
    folder: str
    type: str
    adopted: bool
    written: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    git: bool = False


@record
class BuildView:
    """What a build did or would do. ``changed``: there is another image now; ``reason`` is why it was built.

    ``edits`` are the changes of the project file; ``id`` is ``""`` when nothing was built yet. ``packages`` are those a
    build would put on top of the base, as ``name==version``; empty when that was not looked at.
    """

    project: str
    reference: str
    spec: str
    id: str = ""
    tag: str = ""
    changed: bool = False
    reason: str = ""
    edits: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    dockerfile: str = ""
    seconds: float = 0.0
