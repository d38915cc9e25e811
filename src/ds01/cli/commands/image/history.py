"""``ds01 image history``: the builds of a project's image."""

from __future__ import annotations

from ds01.cli import builds, show
from ds01.cli.call import Call
from ds01.cli.commands.image.list import with_state
from ds01.cli.style import Style
from ds01.cli.table import Column, table
from ds01.wire.images import ImageView

COLUMNS = (
    Column("BUILD", flexible=True, least=15),
    Column("BUILT"),
    Column("SIZE", right=True),
    Column("STATE", flexible=True),
    Column("CONTAINERS", flexible=True),
)


def run(call: Call, *, name: str | None) -> int:
    """Print the builds, the newest first."""
    project = builds.name_of(call, name)
    found = builds.builds(call, project)
    settings = call.client.build_settings()
    seen = [with_state(call, image, settings) for image in found]
    if call.talk.json:
        call.talk.emit(seen)
        return 0
    now = builds.current(seen)
    for line in table(COLUMNS, [_row(image, now, call.talk.out) for image in seen], call.talk.out):
        call.talk.data(line)
    _next(call, project, seen)
    return 0


def _row(image: ImageView, now: ImageView | None, style: Style) -> list[str]:
    state = "current" if now is not None and image.id == now.id else ""
    if state and image.stale:
        state = style("yellow", "current, behind")
    return [
        builds.title(image), f"{show.ago(image.created_at)} ago", show.size(image.size_bytes), state,
        show.names(image.containers),
    ]  # fmt: skip


def _next(call: Call, project: str, seen: list[ImageView]) -> None:
    if len(seen) > 1:
        call.talk.next(f"ds01 image diff {project}", f"ds01 image rollback {project}")
    else:
        call.talk.next(f"ds01 image show {project}")
