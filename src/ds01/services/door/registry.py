"""The registry stream: everything the gateway may need to know, then every change, for as long as it listens.

Containers follow the ledger's events; images are looked at again now and then as well, because an admin adds some
behind the door. A line at least every few seconds tells the gateway that ds01d is there.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Iterator
from functools import partial

from ds01.domain.errors import Ds01Error
from ds01.domain.image import Image
from ds01.ports.ledger import Books
from ds01.services.door.known import network_shown, shown, visible, volume_shown
from ds01.services.image_records import accounts
from ds01.services.image_records import shown as image_shown
from ds01.services.world import World
from ds01.wire.door import DoorImage, DoorUpdate

WAIT_SECONDS = 5.0
IMAGE_SECONDS = 20.0
_BATCH = 500
_OWNED = ("container.", "volume.", "network.")


async def follow(world: World) -> AsyncGenerator[DoorUpdate, None]:
    """Updates for ever."""
    seen, known = await world.ledger.read(lambda books: (_last(books), list(_known(world, books))))
    for update in known:
        yield update
    images = await _images(world)
    for image in images.values():
        yield DoorUpdate(image=image)
    yield DoorUpdate(ready=True)
    looked = world.clock.monotonic()
    while True:
        last = await world.ledger.wait(seen, WAIT_SECONDS)
        updates = await world.ledger.read(partial(_changes, world, seen))
        seen = last
        for update in updates:
            yield update
        if world.clock.monotonic() - looked >= IMAGE_SECONDS:
            looked, before, images = world.clock.monotonic(), images, await _images(world)
            for update in _differences(before, images):
                yield update
        yield DoorUpdate()


def _last(books: Books) -> int:
    latest = books.events(limit=1)
    return latest[-1].seq if latest else 0


def _changes(world: World, after: int, books: Books) -> list[DoorUpdate]:
    """What the events since then are about, as it is now."""
    wanted = {
        event.subject: DoorUpdate(gone=event.subject)
        for event in books.events(after=after, limit=_BATCH)
        if event.type.value.startswith(_OWNED)
    }
    for update in _known(world, books, wanted) if wanted else ():
        wanted[update.id] = update
    return list(wanted.values())


def _known(world: World, books: Books, only: Collection[str] | None = None) -> Iterator[DoorUpdate]:
    """Everything that has an owner, but images; ``only`` what has one of these ids."""
    for container in visible(books, None):
        if only is None or container.id in only:
            yield DoorUpdate(container=shown(world, container))
    for volume in books.volumes():
        if only is None or volume.id in only:
            yield DoorUpdate(volume=volume_shown(volume))
    for network in books.networks():
        if only is None or network.id in only:
            yield DoorUpdate(network=network_shown(network))


async def _images(world: World) -> dict[str, DoorImage]:
    try:
        found = await world.engine.images()
    except Ds01Error:
        return {}
    shown_ = await world.ledger.read(lambda books: _all_shown(world, books, found))
    return {image.id: image for image in shown_}


def _all_shown(world: World, books: Books, found: Iterable[Image]) -> list[DoorImage]:
    of = accounts(books)
    return [image_shown(world, books, image, of) for image in found]


def _differences(before: dict[str, DoorImage], now: dict[str, DoorImage]) -> list[DoorUpdate]:
    changed = [DoorUpdate(image=image) for image in now.values() if before.get(image.id) != image]
    return changed + [DoorUpdate(gone=image_id) for image_id in before if image_id not in now]
