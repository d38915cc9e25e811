"""Images that say too much of themselves: what comes from an archive, a registry, a container or a build is looked at
when it is there, and goes again.

The engine keeps everybody's configurations and lists everybody's labels, so that one user's would be all users' burden.
"""

from __future__ import annotations

from collections.abc import Iterable

from ds01.domain.errors import ENGINE_DOWN, IMAGE_HEAVY, Ds01Error
from ds01.domain.image import EVERY_TAG, Image, ImageId, repository
from ds01.domain.image_access import is_common
from ds01.domain.own_images import plain_image
from ds01.services.door.meaning import meant
from ds01.services.tickets import Names
from ds01.services.world import World


async def drop_heavy(world: World, names: Names, made: Iterable[str]) -> Ds01Error | None:
    """Take away what was written under these names, and what of ``made`` is nobody's else, where it is too heavy. Gives
    the error for its user. What the server's admins choose stays.
    """
    if names.caller.admin:
        return None
    error = None
    for ref, image in [*await _written(world, names)]:
        if image.heavy and not is_common(ref, None, world.settings().images):
            await take_away(world, ref, image, names.before.get(ref, ""))
            error = _error(plain_image(ref, names.caller.uid), image.heavy)
    for id_ in made:
        found = await world.engine.image(id_)
        if found is not None and found.heavy and await _remove_nameless(world, found):
            error = _error(found.id[:19], found.heavy)
    return error


async def _written(world: World, names: Names) -> list[tuple[str, Image]]:
    """What the names mean that did not mean it before, and that nobody has written down: what is, was looked at."""
    whole = {repository(ref) for ref in names.refs if ref.endswith(EVERY_TAG)}
    every = (tag for image in await world.engine.images() for tag in image.tags) if whole else ()
    refs = {*names.refs, *(tag for tag in every if repository(tag) in whole)}
    found = await meant(world, {ref for ref in refs if not ref.endswith(EVERY_TAG)})
    known = await world.ledger.read(lambda books: {ref: tag.image for ref in refs if (tag := books.tag(ref))})
    new = {
        ref: image.id for ref, image in found.items()
        if image is not None and image.id not in (names.before.get(ref), known.get(ref))
    }  # fmt: skip
    images = {id_: await world.engine.image(id_) for id_ in sorted(set(new.values()))}
    return [(ref, image) for ref, id_ in new.items() if (image := images[id_]) is not None]


async def take_away(world: World, ref: str, image: Image, before: str) -> None:
    """The name means again what it meant, or nothing."""
    if before and await world.engine.image(before) is not None:
        await world.engine.tag_image(ImageId(before), ref)
    else:
        await _remove(world, ref)
    if (left := await world.engine.image(image.id)) is not None:
        await _remove_nameless(world, left)


async def _remove_nameless(world: World, image: Image) -> bool:
    """Remove an image that has no name and that nobody had before."""
    known = await world.ledger.read(lambda books: bool(books.ownerships(image=image.id)))
    if not (known or image.tags):
        await _remove(world, image.id)
    return not (known or image.tags)


async def _remove(world: World, ref: str) -> None:
    """One that is in use by now stays: its user has it in her count."""
    try:
        await world.engine.remove_image(ref)
    except Ds01Error as error:
        if error.kind is ENGINE_DOWN:
            raise


def _error(name: str, why: str) -> Ds01Error:
    return Ds01Error(
        IMAGE_HEAVY, f"The image {name} was taken away again: {why}.",
        reason="The engine lists all images to everybody, each with all of its labels.",
        hint="Put what is long into a file of the image",
    )  # fmt: skip
