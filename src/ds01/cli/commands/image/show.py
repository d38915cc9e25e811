"""``ds01 image show``: one image."""

from __future__ import annotations

from ds01.cli import project as known
from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.commands.image.list import with_state
from ds01.cli.table import pairs
from ds01.wire.images import ImageView


def run(call: Call, *, name: str | None) -> int:
    """Print it."""
    wanted = name or known.meant(call, None).name
    image = with_state(call, call.client.image(wanted), call.client.build_settings())
    if call.talk.json:
        call.talk.emit(image)
        return 0
    for line in pairs(_facts(image), call.talk.out, indent=""):
        call.talk.data(line)
    if image.stale:
        call.talk.next(f"ds01 image update {image.project} --rebuild")
    else:
        call.talk.next(f"ds01 launch {image.project}", "ds01 image list")
    return 0


def _facts(image: ImageView) -> list[tuple[str, str]]:
    facts = [
        ("image", image.reference),
        ("project", image.project),
        ("other names", ", ".join(tag for tag in image.tags if tag != image.reference)),
        ("built", f"{show.clock(image.created_at)}, {show.ago(image.created_at)} ago"),
        ("size", show.size(image.size_bytes)),
        ("state", f"stale: {image.stale}" if image.stale else ""),
        ("base", image.base),
        ("recipe", image.spec),
        ("id", image.id),
        ("containers", ", ".join(image.containers)),
    ]
    return [(name, value) for name, value in facts if value]
