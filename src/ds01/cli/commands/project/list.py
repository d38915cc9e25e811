"""``ds01 project list``: the projects in ~/workspace, with their images where ds01d can tell."""

from __future__ import annotations

import time
from collections.abc import Mapping

from ds01.cli import project as known
from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.style import Style
from ds01.cli.table import Column, table
from ds01.domain.errors import DAEMON_DOWN, Ds01Error
from ds01.domain.quantity import show_size
from ds01.domain.record import made, record, replace
from ds01.projects import disk, file
from ds01.wire.containers import ContainerView
from ds01.wire.images import BuildSettings, ImageView
from ds01.wire.projects import ProjectView

COLUMNS = (
    Column("NAME", flexible=True, least=14),
    Column("TYPE"),
    Column("PACKAGES", right=True),
    Column("IMAGE"),
    Column("DISK", right=True),
    Column("CONTAINERS", flexible=True),
    Column("ABOUT", flexible=True, least=10),
)


PATIENCE_SECONDS = 3.0
"""How long the folders are measured, all together."""


@record
class Server:
    """What ds01d knows; nothing when it does not answer."""

    settings: BuildSettings | None = None
    images: Mapping[str, ImageView] = made(factory=dict)
    containers: tuple[ContainerView, ...] = ()


def run(call: Call) -> int:
    """Print the list."""
    names = file.names(call.home)
    server = server_of(call) if names else Server()
    until = time.monotonic() + PATIENCE_SECONDS
    views = [measured(one(call, name, server), until) for name in names]
    if call.talk.json:
        call.talk.emit(views)
        return 0
    for line in table(COLUMNS, [_row(view, call.talk.out) for view in views], call.talk.out) if views else []:
        call.talk.data(line)
    for view in views:
        if view.problem:
            call.talk.warn(view.problem)
    _next(call, views)
    return 0


def measured(view: ProjectView, until: float) -> ProjectView:
    """With what its folder takes. Counting all of them ends when nobody would wait any longer."""
    return replace(view, disk_bytes=disk.used(view.folder, until=until))


def server_of(call: Call) -> Server:
    """What ds01d knows now; a project can be looked at without it."""
    try:
        images = {image.reference: image for image in call.client.images()}
        return Server(settings=call.client.build_settings(), images=images, containers=call.client.containers())
    except Ds01Error as error:
        if error.kind is not DAEMON_DOWN:
            raise
        call.talk.warn("ds01d does not answer, so images and containers are not shown.")
        return Server()


def one(call: Call, name: str, server: Server) -> ProjectView:
    """One project; a mistake in its file is part of what is known about it."""
    try:
        project = file.named(name, call.home)
        image = server.images.get(known.reference(name))
        stale = known.stale(call, project, image, server.settings) if image and server.settings else ""
    except Ds01Error as error:
        return ProjectView(name=name, folder=f"{file.workspaces(call.home)}/{name}", problem=error.problem.message)
    return known.view(project, image=image, stale=stale, containers=server.containers)


def _row(view: ProjectView, style: Style) -> list[str]:
    if view.problem:
        return [view.name, style("red", "mistake"), "", "", _disk(view), "", ""]
    image = style("yellow", "stale") if view.stale else "built" if view.image else ""
    return [
        view.name, view.type, str(len(view.packages)), image, _disk(view), show.names(view.containers),
        view.description,
    ]  # fmt: skip


def _disk(view: ProjectView) -> str:
    return "" if view.disk_bytes is None else show_size(view.disk_bytes)


def _next(call: Call, views: list[ProjectView]) -> None:
    if not views:
        call.talk.say("You have no projects yet.")
        call.talk.next("ds01 init NAME")
        return
    call.talk.next(f"ds01 launch {views[0].name}", f"ds01 project show {views[0].name}")
