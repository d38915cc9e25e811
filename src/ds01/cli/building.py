"""Building a project's image on a terminal: who asks, what is shown while it runs, what stands if it is interrupted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.progress import Line
from ds01.cli.project import me
from ds01.cli.resolving import lists_packages, resolve
from ds01.cli.shell import gateway
from ds01.domain.project import Project
from ds01.domain.record import replace
from ds01.projects import editor_files, plainfile, prepare
from ds01.projects.build import Built, Order, fetch_base
from ds01.projects.build import build as build_image
from ds01.projects.buildlog import BuildEvent
from ds01.projects.dockerfile import DEBIAN, PYTHON
from ds01.projects.recipe import Recipe

_ALWAYS = frozenset({DEBIAN, PYTHON})
KEPT = "Dockerfile.yours"
"""Where a Dockerfile goes that is written anew after its owner edited it."""


def build(
    call: Call, project: Project, recipe: Recipe, *, anew: bool = False, overwrite: bool = False,
    installs: tuple[str, ...] | None = None,
) -> Built:  # fmt: skip
    """Resolve the packages, write the generated Dockerfile and build the image. ``installs``: they were resolved
    already, to these. Raises Ds01Error with the likely cause.
    """
    call.standing = f"The image of {project.name} was not built; one that was there before is as it was."
    order = Order(
        socket=gateway(call), owner=me(), project=project.name, folder=project.folder, recipe=recipe, anew=anew
    )  # fmt: skip
    installs = _resolved(call, project, order) if installs is None else installs
    write(call, project, recipe, overwrite=overwrite)
    with _watching(call, f"Building the image of {project.name}") as teller:
        built = build_image(order, now=datetime.now(UTC), say=teller)
    if built.changed:
        call.talk.done(f"The image of {project.name} is built. {call.talk.err('dim', show.duration(built.seconds))}")
    return replace(built, installs=installs)


def _resolved(call: Call, project: Project, order: Order) -> tuple[str, ...]:
    """What the packages resolve to, inside the base; that is fetched first."""
    if not lists_packages(order.recipe):
        return ()
    with _watching(call, f"Looking at the base of {project.name}") as teller:
        base = fetch_base(order, teller)
    return resolve(call, project, order.recipe, base, anew=order.anew)


@contextmanager
def _watching(call: Call, text: str) -> Iterator[_Teller]:
    """A line at the bottom while a build goes on."""
    line = Line(call.talk)
    line.show(text)
    try:
        yield _Teller(call, line)
    finally:
        line.clear()


def write(call: Call, project: Project, recipe: Recipe, *, overwrite: bool) -> None:
    """Write the generated Dockerfile, and the devcontainer. A Dockerfile that was edited is shown, and replaced only
    when that is wanted.
    """
    changed = prepare.difference(project, recipe)
    if changed and not overwrite and call.talk.somebody_there:
        call.talk.say("The Dockerfile was edited since DS01 wrote it. DS01 would change this:")
        call.talk.say(changed)
        overwrite = call.talk.confirm(f"Write it anew (yours is kept as {KEPT})?", default=False)
    if changed and overwrite:
        mine = plainfile.read(os.path.join(project.folder, prepare.NAME))
        plainfile.replace(os.path.join(project.folder, KEPT), mine)
        call.talk.say(f"Your Dockerfile is kept as {KEPT}.")
    prepare.write(project, recipe, overwrite=overwrite)
    editor_files.renew(project)


class _Teller:
    """Tells of a build's steps: what took time, or installed what was asked for, stays on the screen; what goes on is
    the line at the bottom.
    """

    def __init__(self, call: Call, line: Line) -> None:
        self._talk = call.talk
        self._line = line
        self._far = ""
        """How far the base is fetched, which says more than what becomes of each layer."""

    def __call__(self, event: BuildEvent) -> None:
        title = event.title or "Building"
        if event.state == "begin":
            self._far = ""
            self._line.show(f"{title} ({event.step}/{event.of})")
        elif event.state == "log":
            if not self._far:
                self._line.keep(f"{title} ({event.step}/{event.of}): {event.text}")
            self._talk.detail(event.text)
        elif event.state == "pull":
            self._far = event.text
            self._line.keep(f"{title} ({event.step}/{event.of}): {event.text}")
        elif event.title and not event.cached and (event.seconds >= 1 or event.title in _ALWAYS):
            seconds = self._talk.err("dim", show.duration(event.seconds))
            self._line.above(f"{self._talk.err('green', self._talk.err.sign('✓', 'Done:'))} {title} {seconds}")
