"""Removing images through the Docker door: decided here, done by the engine, and then the ledger is made true again."""

from __future__ import annotations

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.errors import NO_IMAGE, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.image import Image, ImageId
from ds01.domain.image_removal import Belongings, Removal, removal
from ds01.domain.own_images import plain_image
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, identify
from ds01.services.door.meaning import meant
from ds01.services.image_records import access_of, names_of, refused, shown, used_by_others
from ds01.services.world import World
from ds01.wire.door import DoorImage, DoorRemoval, DoorRemovalPlan, DoorRemoved


async def plan(world: World, ask: DoorRemoval) -> DoorRemovalPlan:
    """What may go. What is hers no more and stays for others is written down at once. Raises Ds01Error."""
    return await planned(world, await identify(world, ask.uid), ask)


async def planned(world: World, caller: Caller, ask: DoorRemoval) -> DoorRemovalPlan:
    """The same for a caller who is known."""
    image = await world.engine.image(ask.image)
    if image is None:
        raise Ds01Error(NO_IMAGE, f"No such image: {ask.ref or ask.image}")
    found = await world.ledger.read(lambda books: _decide(world, books, caller, image, ask))
    if found.untagged or found.deleted:
        await world.ledger.write(lambda books: books.drop_ownership(image.id, caller.uid))
    return DoorRemovalPlan(targets=found.targets, untagged=found.untagged, deleted=found.deleted)


def _decide(world: World, books: Books, caller: Caller, image: Image, ask: DoorRemoval) -> Removal:
    if caller.admin:
        return Removal(targets=(ask.ref or image.id,))
    has = Belongings(
        image=image,
        access=access_of(world, books, image),
        tags=names_of(books, image),
        account=f"{caller.uid}:{caller.epoch}",
        used_by_others=used_by_others(books, image.id, caller.uid),
        settings=world.settings().images,
    )
    try:
        return removal(has, ask.ref, force=ask.force)
    except RefusedError as error:
        raise refused(error) from error


async def removed(world: World, ask: DoorRemoved) -> tuple[DoorImage, ...]:
    """Forget what the engine no longer has; the image as it is now, or nothing when it is gone."""
    return await forgotten(world, await identify(world, ask.uid), ask)


async def forgotten(world: World, caller: Caller, ask: DoorRemoved) -> tuple[DoorImage, ...]:
    """The same for a caller who is known."""
    async with world.tickets.turn(caller.uid):
        image = await world.engine.image(ask.image)
        now = await meant(world, ask.refs)
        gone = [ref for ref, found in now.items() if found is None]
        return await world.ledger.write(lambda books: _forget(world, books, caller, ImageId(ask.image), image, gone))


def _forget(
    world: World, books: Books, caller: Caller, image_id: ImageId, image: Image | None, gone: list[str]
) -> tuple[DoorImage, ...]:
    for ref in gone:
        known = books.tag(ref)
        if known is not None and known.image == image_id:
            books.drop_tag(ref)
        books.record(
            Event(at=world.clock.now(), type=EventType.IMAGE_REMOVED, actor=caller.actor, uid=caller.uid,
                  subject=plain_image(ref, caller.uid))
        )  # fmt: skip
    if image is None:
        for ownership in books.ownerships(image=image_id):
            books.drop_ownership(image_id, ownership.uid)
        return ()
    return (shown(world, books, image),)
