"""``ds01 image list``: the user's images, and whether each is what its project says now."""

from __future__ import annotations

from ds01.cli import project as known
from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.style import Style
from ds01.cli.table import Column, table
from ds01.domain.errors import Ds01Error
from ds01.domain.record import replace
from ds01.projects import file
from ds01.wire.images import BuildSettings, ImageView

COLUMNS = (
    Column("IMAGE", flexible=True, least=14),
    Column("BUILT"),
    Column("SIZE", right=True),
    Column("STATE", flexible=True),
    Column("CONTAINERS", flexible=True),
)


def run(call: Call, *, all_: bool) -> int:
    """Print the list."""
    images = [image for image in call.client.images() if all_ or current(image)]
    settings = call.client.build_settings() if images else None
    seen = [with_state(call, image, settings) for image in images]
    if call.talk.json:
        call.talk.emit(seen)
        return 0
    for line in table(COLUMNS, [_row(image, call.talk.out) for image in seen], call.talk.out) if seen else []:
        call.talk.data(line)
    _next(call, seen)
    return 0


def current(image: ImageView) -> bool:
    """Whether this is the image its project uses, not an older build."""
    return image.reference.endswith(":latest")


def with_state(call: Call, image: ImageView, settings: BuildSettings | None) -> ImageView:
    """The image with why it is behind its project file. One whose project is gone, or broken, is behind nothing."""
    if settings is None or not current(image) or image.reference != known.reference(image.project):
        return image
    try:
        project = file.named(image.project, call.home)
        return replace(image, stale=known.stale(call, project, image, settings))
    except Ds01Error:
        return image


def _row(image: ImageView, style: Style) -> list[str]:
    name = image.project if current(image) else image.reference.rpartition("/")[2]
    state = style("yellow", "behind") if image.stale else "" if current(image) else "older build"
    return [name, f"{show.ago(image.created_at)} ago", show.size(image.size_bytes), state, show.names(image.containers)]


def _next(call: Call, images: list[ImageView]) -> None:
    if not images:
        call.talk.say("You have built no image yet.")
        call.talk.next("ds01 image create NAME", "ds01 init NAME for a new project")
        return
    stale = [image.project for image in images if image.stale]
    if stale:
        call.talk.next(f"ds01 image update {stale[0]} --rebuild")
    else:
        call.talk.next(f"ds01 launch {images[0].project}", f"ds01 image show {images[0].project}")
