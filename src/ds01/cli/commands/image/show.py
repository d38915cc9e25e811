"""``ds01 image show``: one image: what it is, what is in it, what takes the room, who uses it."""

from __future__ import annotations

from collections.abc import Sequence

from ds01.cli import builds, show
from ds01.cli import project as known
from ds01.cli.call import Call
from ds01.cli.commands.image.list import with_state
from ds01.cli.shell import gateway
from ds01.cli.table import pairs
from ds01.domain.errors import Ds01Error
from ds01.domain.image import repository
from ds01.projects import inside
from ds01.wire.images import ImageContents, ImageView, InstalledView, LayerView

SHOWN = 12
"""Packages that are named without --packages."""


def run(call: Call, *, name: str | None, packages: bool) -> int:
    """Print it."""
    wanted = name or known.meant(call, None).name
    image = with_state(call, call.client.image(wanted), call.client.build_settings())
    found = _look(call, image)
    if call.talk.json:
        call.talk.emit(found)
        return 0
    for line in pairs(_facts(found), call.talk.out, indent=""):
        call.talk.data(line)
    for line in _packages(found.packages, whole=packages):
        call.talk.data(line)
    if image.stale:
        call.talk.next(f"ds01 image update {image.project} --rebuild")
    else:
        call.talk.next(f"ds01 launch {image.project}", f"ds01 image history {image.project}")
    return 0


def _look(call: Call, image: ImageView) -> ImageContents:
    """What ds01d knows, and what a look inside shows; an image that cannot be looked into is shown without."""
    siblings = [each for each in call.client.images() if _same(each, image)]
    try:
        with call.talk.step("Looking into the image"):
            packages = builds.packages(call, image)
            layers = inside.layers(gateway(call), image.reference, image.base)
    except Ds01Error as error:
        call.talk.warn(" ".join(part for part in (str(error), error.problem.reason) if part))
        return ImageContents(image=image, builds=len(siblings))
    return ImageContents(image=image, packages=packages, layers=layers, builds=len(siblings))


def _same(one: ImageView, other: ImageView) -> bool:
    return {repository(tag) for tag in one.tags} == {repository(tag) for tag in other.tags}


def _facts(found: ImageContents) -> list[tuple[str, str]]:
    image = found.image
    facts = [
        ("image", image.reference),
        ("project", image.project),
        ("other names", ", ".join(tag for tag in image.tags if tag != image.reference)),
        ("built", f"{show.clock(image.created_at)}, {show.ago(image.created_at)} ago"),
        ("builds", f"{found.builds} are here" if found.builds > 1 else ""),
        ("size", show.size(image.size_bytes)),
        *_layers(found.layers),
        ("state", f"behind: {image.stale}" if image.stale else ""),
        ("base", image.base),
        ("recipe", image.spec),
        ("id", image.id),
        ("containers", ", ".join(image.containers) or "none uses it"),
    ]
    return [(name, value) for name, value in facts if value]


def _layers(layers: Sequence[LayerView]) -> list[tuple[str, str]]:
    return [("", f"{show.size(layer.size_bytes):>7}  {layer.title}") for layer in layers]


def _packages(packages: Sequence[InstalledView], *, whole: bool) -> list[str]:
    if whole:
        return [f"{each.name} {each.version}" + _source(each) for each in packages]
    mine = [f"{each.name} {each.version}" for each in packages if each.source != "debian"]
    if not mine:
        return []
    rest = f", and {len(mine) - SHOWN} more: --packages" if len(mine) > SHOWN else ""
    return [f"packages: {', '.join(mine[:SHOWN])}{rest}"]


def _source(package: InstalledView) -> str:
    return "" if package.source == "python" else f" ({package.source})"
