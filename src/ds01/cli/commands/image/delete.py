"""``ds01 image delete``: frees the space of an image; never a recipe or a workspace."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.domain.errors import IMAGE_IN_USE, Ds01Error
from ds01.wire.images import ImageView, RemovedImage


def run(call: Call, *, name: str) -> int:
    """Say what goes and what stays, ask, delete."""
    talk = call.talk
    image = call.client.image(name)
    going = _going(call, name, image)
    used = sorted({container for each in going for container in each.containers})
    if used:
        raise Ds01Error(
            IMAGE_IN_USE, f"The image is still needed by {', '.join(used)}.", reason="Nothing was deleted.",
            hint=f"ds01 retire {used[0]}",
        )  # fmt: skip
    stays = f"the project {image.project} with its files, its project file and its Dockerfile"
    builds = show.count(len(going), "build")
    size = show.size(sum(each.size_bytes for each in going))
    talk.say(f"{talk.err('red', 'Goes:')}  {image.reference} ({builds}, at most {size})")
    talk.say(f"Stays: {stays}")
    if talk.dry_run:
        if talk.json:
            tags = tuple(tag for each in going for tag in each.tags)
            talk.emit(RemovedImage(reference=image.reference, removed=tags, kept=stays))
        return 0
    if not talk.confirm(f"Delete the image {image.reference}?", default=False):
        talk.say("Nothing was deleted.")
        return 0
    removed = call.client.remove_image(name)
    if talk.json:
        talk.emit(removed)
        return 0
    talk.done(f"{image.reference} is deleted. {removed.kept}")
    talk.next(f"ds01 launch {image.project}", "ds01 image list")
    return 0


def _going(call: Call, name: str, image: ImageView) -> list[ImageView]:
    """The images that would go: all builds of a project, or the one that was named."""
    if "/" in name and ":" in name:
        return [image]
    repository = image.reference.rpartition(":")[0]
    return [each for each in call.client.images() if each.reference.rpartition(":")[0] == repository]
