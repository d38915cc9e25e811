"""The registry stream: everything the gateway may need to know, then every change, for as long as it listens.

Containers follow the ledger's events; images are looked at again now and then as well, because an admin adds some
behind the door; while the engine is away they are those that were there before. A line at least every few seconds tells
the gateway that ds01d is there.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ds01.domain.container import Container, ContainerState
from ds01.domain.errors import Ds01Error
from ds01.domain.events import EventType, Unknown
from ds01.domain.image import Image
from ds01.domain.network import Network
from ds01.domain.volume import Volume
from ds01.ports.ledger import Books
from ds01.services.door.known import all_shown, network_shown, visible, volume_shown
from ds01.services.image_records import accounts
from ds01.services.image_records import shown as image_shown
from ds01.services.world import World
from ds01.wire.door import DoorImage, DoorUpdate

WAIT_SECONDS = 5.0
IMAGE_SECONDS = 20.0
_BATCH = 500
_OWNED = tuple(kind for kind in EventType if kind.value.startswith(("container.", "volume.", "network.")))
_PEOPLE = (EventType.ACCOUNT_CHANGED, EventType.POLICY_RELOADED)
"""After these somebody may be somebody else: another person's uid, or no admin any more."""


@dataclass(frozen=True, kw_only=True)
class _Owned:
    """What has an owner, as the ledger knows it; ``closed`` are containers that were put out of service."""

    closed: Sequence[str] = ()
    containers: Sequence[Container] = ()
    volumes: Sequence[Volume] = ()
    networks: Sequence[Network] = ()


async def follow(world: World) -> AsyncGenerator[DoorUpdate, None]:
    """Updates for ever."""
    seen, known = await world.ledger.read(lambda books: (_last(books), _known(books)))
    for update in await _updates(world, known):
        yield update
    looked, images = world.clock.monotonic(), await _images(world, {})
    for image in images.values():
        yield DoorUpdate(image=image)
    yield DoorUpdate(ready=True)
    while True:
        last = await world.ledger.wait(seen, WAIT_SECONDS)
        seen, changed, known = await world.ledger.read(partial(_changes, seen, last))
        there = {update.id: update for update in await _updates(world, known)}
        for subject, kind in changed.items():
            if kind in _PEOPLE:
                yield DoorUpdate(people=True)
            else:
                yield there.get(subject, DoorUpdate(gone=subject))
        if world.clock.monotonic() - looked >= IMAGE_SECONDS:
            looked, before, images = world.clock.monotonic(), images, await _images(world, images)
            for update in _differences(before, images):
                yield update
        yield DoorUpdate()


def _last(books: Books) -> int:
    latest = books.events(limit=1)
    return latest[-1].seq if latest else 0


def _changes(after: int, last: int, books: Books) -> tuple[int, Mapping[str, EventType | Unknown], _Owned]:
    """What the events since then are about, and what of it is there now. First the event up to which that is, of those
    until ``last``.
    """
    found = books.events(types=(*_OWNED, *_PEOPLE), after=after, limit=_BATCH)
    changed = {event.subject: event.type for event in found}
    return found[-1].seq if len(found) == _BATCH else last, changed, _known(books, changed) if changed else _Owned()


def _known(books: Books, only: Collection[str] | None = None) -> _Owned:
    """Everything that has an owner, but images; ``only`` what has one of these ids."""
    return _Owned(
        closed=[
            each.id
            for each in books.containers()
            if each.state is ContainerState.QUARANTINED and (only is None or each.id in only)
        ],
        containers=[each for each in visible(books, None) if only is None or each.id in only],
        volumes=[each for each in books.volumes() if only is None or each.id in only],
        networks=[each for each in books.networks() if only is None or each.id in only],
    )


async def _updates(world: World, owned: _Owned) -> list[DoorUpdate]:
    containers = await all_shown(world, owned.containers)
    return [
        *(DoorUpdate(closed=container) for container in owned.closed),
        *(DoorUpdate(container=container) for container in containers),
        *(DoorUpdate(volume=volume_shown(volume)) for volume in owned.volumes),
        *(DoorUpdate(network=network_shown(network)) for network in owned.networks),
    ]


async def _images(world: World, before: dict[str, DoorImage]) -> dict[str, DoorImage]:
    """The engine's images by id; those that were there ``before`` when it does not answer."""
    try:
        found = await world.engine.images()
    except Ds01Error:
        return before
    shown_ = await world.ledger.read(lambda books: _all_shown(world, books, found))
    return {image.id: image for image in shown_}


def _all_shown(world: World, books: Books, found: Iterable[Image]) -> list[DoorImage]:
    of = accounts(books)
    return [image_shown(world, books, image, of) for image in found]


def _differences(before: dict[str, DoorImage], now: dict[str, DoorImage]) -> list[DoorUpdate]:
    changed = [DoorUpdate(image=image) for image in now.values() if before.get(image.id) != image]
    return changed + [DoorUpdate(gone=image_id) for image_id in before if image_id not in now]
