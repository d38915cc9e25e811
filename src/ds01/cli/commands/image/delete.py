"""``ds01 image delete``: frees the space of an image; never a recipe or a workspace."""

from __future__ import annotations

from collections.abc import Sequence

from ds01.cli import builds, show
from ds01.cli.call import Call
from ds01.domain.errors import IMAGE_IN_USE, Ds01Error
from ds01.wire.images import ImageView, RemovedImage


def run(call: Call, *, name: str, older: bool) -> int:
    """Say what goes and what stays, ask, delete."""
    talk = call.talk
    going = _older(call, name) if older else _going(call, name)
    if not going:
        talk.done(f"There is no earlier build of {name} that nothing uses.")
        if talk.json:
            talk.emit(RemovedImage(reference=name, removed=()))
        return 0
    used = sorted({container for each in going for container in each.containers})
    if used:
        raise Ds01Error(
            IMAGE_IN_USE, f"The image is still needed by {', '.join(used)}.", reason="Nothing was deleted.",
            hint=f"ds01 retire {used[0]}",
        )  # fmt: skip
    stays = _stays(going[0], older=older)
    _foretell(call, going, stays)
    if talk.dry_run:
        if talk.json:
            tags = tuple(tag for each in going for tag in each.tags)
            talk.emit(RemovedImage(reference=going[0].reference, removed=tags, kept=stays))
        return 0
    if not talk.confirm(f"Delete {show.count(len(going), 'build')} of {going[0].project}?", default=False):
        talk.say("Nothing was deleted.")
        return 0
    return _delete(call, name, going, older=older)


def _foretell(call: Call, going: Sequence[ImageView], stays: str) -> None:
    count = show.count(len(going), "build")
    size = show.size(sum(each.size_bytes for each in going))
    names = going[0].reference if len(going) == 1 else show.names([each.reference for each in going])
    call.talk.say(f"{call.talk.err('red', 'Goes:')}  {names} ({count}, at most {size})")
    call.talk.say(f"Stays: {stays}")


def _stays(image: ImageView, *, older: bool) -> str:
    kept = "the present image, every build that a container uses, and " if older else ""
    return f"{kept}the project {image.project} with its files, its project file and its Dockerfile"


def _delete(call: Call, name: str, going: Sequence[ImageView], *, older: bool) -> int:
    """Delete them; the last answer tells what stays."""
    removed = [call.client.remove_image(word) for word in ([each.reference for each in going] if older else [name])]
    told = RemovedImage(
        reference=going[0].reference, removed=tuple(tag for each in removed for tag in each.removed),
        kept=removed[-1].kept,
    )  # fmt: skip
    if call.talk.json:
        call.talk.emit(told)
        return 0
    call.talk.done(f"{show.names(told.removed)} {'is' if len(told.removed) == 1 else 'are'} deleted. {told.kept}")
    call.talk.next(f"ds01 launch {going[0].project}", "ds01 image list")
    return 0


def _older(call: Call, name: str) -> list[ImageView]:
    """The builds that neither the project nor a container uses any more."""
    found = builds.builds(call, name)
    now = builds.current(found)
    return [each for each in found if not each.containers and (now is None or each.id != now.id)]


def _going(call: Call, name: str) -> list[ImageView]:
    """The images that would go: all builds of a project, or the one that was named."""
    image = call.client.image(name)
    build = name.rpartition("/")[2].partition(":")[2]
    if build and build != builds.LATEST and builds.current([image]) is not None:
        raise Ds01Error(
            IMAGE_IN_USE, f"Build {build} is the present image of {image.project}.", reason="Nothing was deleted.",
            hint=f"ds01 image rollback {image.project}, or ds01 image delete {image.project} with all its builds",
        )  # fmt: skip
    if build:
        return [image]
    repository = image.reference.rpartition(":")[0]
    return [each for each in call.client.images() if each.reference.rpartition(":")[0] == repository]
