"""Names that give way: somebody pulls what another wrote, or is writing. Both have then what they call by that name.

What was written moves into its writer's own name space: before the pull, when it is there, so that she has it at any
moment; when it is written, otherwise. A pull that brings nothing leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ds01.domain.image import Image, ImageId, Provenance, Tag
from ds01.domain.labels import Label
from ds01.domain.own_images import stored_image
from ds01.domain.people import Uid
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.seal import believed
from ds01.services.tickets import Names
from ds01.services.world import World


async def put_aside(world: World, caller: Caller, there: Mapping[str, Image | None]) -> dict[str, Uid]:
    """Give what others wrote under these names a second one, in their own name spaces. Gives the names and whose."""
    found = await world.ledger.read(lambda books: _of_others(books, caller, there))
    known = await world.ledger.read(lambda books: {tag.ref for tag in books.tags()})
    aside = {}
    for ref, (owner, image) in found.items():
        stored = stored_image(ref, owner)
        if stored not in known or await world.engine.image(stored) is None:
            await _name(world, image, stored, owner)
            aside[ref] = owner
    return aside


def _of_others(books: Books, caller: Caller, there: Mapping[str, Image | None]) -> dict[str, tuple[Uid, ImageId]]:
    found = {}
    for ref, image in there.items():
        tag = books.tag(ref) if image is not None else None
        if tag is not None and image is not None and tag.provenance is Provenance.USER:
            owner = tag.makes_owner(believed(books, image))
            if owner not in (None, caller.uid):
                found[ref] = (Uid(owner), image.id)
    return found


async def _name(world: World, image: ImageId, stored: str, owner: Uid) -> None:
    await world.engine.tag_image(image, stored)
    tag = Tag(ref=stored, image=image, provenance=Provenance.USER, owner=owner)
    await world.ledger.write(lambda books: books.put_tag(tag))


async def take_back(world: World, names: Names) -> None:
    """A pull is over that was broken off: what it did not bring is only its writer's again, under one name."""
    for ref, owner in names.aside.items():
        others = world.tickets.writing(ref, names.caller.uid, world.clock.monotonic())
        if others is None or not others.pulling:
            await _take_back(world, ref, owner, names.before[ref])


async def _take_back(world: World, ref: str, owner: Uid, before: str) -> None:
    stored = stored_image(ref, owner)
    now, copy = await world.engine.image(ref), await world.engine.image(stored)
    tag = await world.ledger.read(lambda books: books.tag(ref))
    hers = tag is not None and tag.owner == owner and now is not None and now.id == before
    if hers and copy is not None:
        over = stored if copy.id == before else ref
        await world.engine.remove_image(over)
        await world.ledger.write(lambda books: books.drop_tag(over))


async def pulled_over(world: World, caller: Caller, pulled: Mapping[str, Image]) -> list[ImageId]:
    """What she had of her own under a name she has pulled is over, as with an engine of her own. Gives what it was."""
    own = {stored_image(ref, caller.uid): image for ref, image in pulled.items()}
    over = await world.ledger.read(lambda books: [tag for ref in own if (tag := books.tag(ref)) is not None])
    for tag in over:
        await world.engine.tag_image(own[tag.ref].id, tag.ref)  # so that no image loses its last name: that is refused
        await world.engine.remove_image(tag.ref)
    if over:
        await world.ledger.write(lambda books: _drop(books, over))
    return [tag.image for tag in over]


def _drop(books: Books, over: Sequence[Tag]) -> None:
    for tag in over:
        books.drop_tag(tag.ref)


async def give_way(
    world: World, names: Names, found: Mapping[str, Image | None], made: Collection[str]
) -> dict[str, Image]:
    """Move what was written under names that somebody pulls; ``made`` are the images that are known to be the
    writer's. Gives them by their new names, to be recorded.
    """
    moved: dict[str, Image] = {}
    for ref in names.yields:
        image = found.get(ref)
        if image is not None and (image.id in made or made_by(world, image, names.caller, ref)):
            stored = stored_image(ref, names.caller.uid)
            await world.engine.tag_image(image.id, stored)
            await _put_back(world, ref, image)
            moved[stored] = await world.engine.image(stored) or image
    return moved


async def _put_back(world: World, ref: str, image: Image) -> None:
    """The name means again what the ledger says."""
    tag = await world.ledger.read(lambda books: books.tag(ref))
    if tag is not None and tag.image == image.id:
        return
    if tag is not None and await world.engine.image(tag.image) is not None:
        await world.engine.tag_image(tag.image, ref)
    else:
        await world.engine.remove_image(ref)


def made_by(world: World, image: Image, caller: Caller, ref: str) -> bool:
    """The gateway labels every build with its owner, over whatever the Dockerfile says, and seals that. An image that
    a registry has under this name may be labelled by anybody.
    """
    if image.is_from(ref):
        return False
    labels = world.ledger.glance(lambda books: believed(books, image)).labels
    owner = (labels.get(Label.OWNER), labels.get(Label.EPOCH))
    return owner == (str(caller.uid), str(caller.epoch))
