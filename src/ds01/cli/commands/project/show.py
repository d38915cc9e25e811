"""``ds01 project show``: what the file says, and what came of it."""

from __future__ import annotations

from ds01.cli import project as known
from ds01.cli.call import Call
from ds01.cli.commands.project.list import server_of
from ds01.cli.table import pairs
from ds01.wire.projects import ProjectView


def run(call: Call, *, name: str | None) -> int:
    """Print one project."""
    project = known.meant(call, name)
    server = server_of(call)
    image = server.images.get(known.reference(project.name))
    stale = known.stale(call, project, image, server.settings) if image and server.settings else ""
    view = known.view(project, image=image, stale=stale, containers=server.containers)
    if call.talk.json:
        call.talk.emit(view)
        return 0
    for line in pairs(_facts(view), call.talk.out, indent=""):
        call.talk.data(line)
    call.talk.next(f"ds01 launch {view.name}", f"ds01 image update {view.name} --add PACKAGE")
    return 0


def _facts(view: ProjectView) -> list[tuple[str, str]]:
    state = f"{view.image} (behind: {view.stale})" if view.stale else view.image or "not built yet"
    facts = [
        ("project", view.name),
        ("about", view.description),
        ("type", view.type),
        ("folder", view.folder),
        ("base", "" if view.dockerfile else view.base),
        ("dockerfile", view.dockerfile),
        ("packages", ", ".join(view.packages)),
        ("requirements", view.requirements),
        ("apt", ", ".join(view.apt)),
        *view.run.items(),
        ("image", state),
        ("containers", ", ".join(view.containers)),
    ]
    return [(name, value) for name, value in facts if value]
