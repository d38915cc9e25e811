"""What a BuildKit build may be made from: each name with the engine's name of exactly the image it means now.

BuildKit looks a name up when it comes to it, which its user can put off for as long as she likes: by then the name may
mean an image of somebody else's. So every name is bound when the build begins (``domain/image_pins.py``).
"""

from __future__ import annotations

from collections.abc import Iterable

from ds01.domain.image import Image, ImageId
from ds01.domain.image_pins import pinned
from ds01.domain.own_images import is_pin, is_stored, plain_image
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.image_records import access_of, accounts
from ds01.services.tickets import Names
from ds01.services.world import World

Bound = tuple[dict[str, str], dict[str, ImageId]]
"""Names by what she calls them, and the second ones that images get."""


async def pin(world: World, caller: Caller, names: Names) -> dict[str, str]:
    """By the names she has for them, the engine's names of all images she may build from."""
    async with world.tickets.turn(caller.uid):
        images = await world.engine.images()
        if caller.admin:
            world.tickets.pin(names, ())
            return {ref: ref for image in images for ref in (*image.tags, *image.digests)}
        bound, needed = await world.ledger.read(lambda books: _bound(world, books, caller, images))
        world.tickets.pin(names, needed)
        for name, image in needed.items():
            await world.engine.tag_image(image, name)
    return bound


def _bound(world: World, books: Books, caller: Caller, images: Iterable[Image]) -> Bound:
    of, account, settings = accounts(books), f"{caller.uid}:{caller.epoch}", world.settings().images
    plain: dict[str, str] = {}
    own: dict[str, str] = {}
    needed: dict[str, ImageId] = {}
    for image in images:
        access = access_of(world, books, image, of)
        for ref in (each for each in (*image.tags, *image.digests) if access.named(each, account)):
            name = pinned(image, ref, books.tag(ref), caller.uid, settings)
            (own if is_stored(ref) else plain)[plain_image(ref, caller.uid)] = name
            if is_pin(name):
                needed[name] = image.id
    return {ref: name for ref, name in (plain | own).items() if name}, needed


async def loosen(world: World, names: Names) -> None:
    """A build is over: what only it needed goes."""
    for name in names.pins - world.tickets.pinned():
        await _loosen(world, name)


async def sweep(world: World) -> None:
    """Take away what a ds01d left that was killed."""
    async with world.tickets.turn(None):
        for image in await world.engine.images():
            for name in frozenset(image.pins) - world.tickets.pinned():
                await _loosen(world, name)


async def _loosen(world: World, name: str) -> None:
    """An image that has no other name by now stays as one without: the engine removes what loses its last name."""
    image = await world.engine.image(name)
    if image is None:
        return
    if not image.tags and len(image.pins) == 1:
        other = next((each for each in await world.engine.images() if each.tags and each.id != image.id), None)
        if other is not None:
            await world.engine.tag_image(other.id, name)
    await world.engine.remove_image(name)
