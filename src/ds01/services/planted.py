"""What was made past DS01 to last (``domain/planted.py``): looked for, and told when the time of watching is over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from ds01.domain.container import ContainerState, Observed
from ds01.domain.events import Event, EventType
from ds01.domain.image import Image
from ds01.domain.planted import (
    HAS_NAME,
    Planted,
    counted,
    is_planted_network,
    is_planted_volume,
    named,
    planted_container,
    planted_names,
)
from ds01.domain.standing import declared
from ds01.ports.engine import LOOK_SECONDS
from ds01.ports.ledger import Books
from ds01.services.confine import admin_slice
from ds01.services.world import World

WATCHED = "door.watched"
"""The ledger's note that the gateway only watched when it was last looked at."""
YOUNG = timedelta(seconds=10)
"""What is this young may be on its way into the ledger."""


async def planted(world: World) -> tuple[Planted, ...]:
    """All of it. Raises Ds01Error when the engine is away."""
    return (*await _containers(world), *await _images(world), *await _volumes(world), *await _networks(world))


async def _containers(world: World) -> list[Planted]:
    """What the admin said is hers is left out: her monitoring is to be started again."""
    known = await world.ledger.read(
        lambda books: {c.id for c in books.containers() if c.state is not ContainerState.REMOVED}
    )
    settled = world.clock.now() - YOUNG
    slice_ = await admin_slice(world)
    found = []
    for each in await world.engine.list():
        if each.id in known or each.created_at >= settled:
            continue
        seen = await world.engine.inspect(each.id, seconds=LOOK_SECONDS)
        if seen is None or _hers(world, seen, slice_):
            continue
        found.append(planted_container(seen.stored_name, seen.confinement.restart if seen.confinement else ""))
    return [each for each in found if each is not None]


def _hers(world: World, seen: Observed, slice_: str) -> bool:
    allowed = world.settings().docker.outside_allowed
    return seen.confinement is not None and declared(seen, seen.confinement, allowed, slice_)


async def _images(world: World) -> list[Planted]:
    images = await world.engine.images()
    unknown = await world.ledger.read(lambda books: list(_unknown(books, images)))
    writing, pinned = world.tickets.being_written(world.clock.monotonic()), world.tickets.pinned()
    return [
        Planted(kind="image", name=name, why=HAS_NAME)
        for name in sorted(unknown) if name not in writing and name not in pinned
    ]  # fmt: skip


def _unknown(books: Books, images: Iterable[Image]) -> Iterable[str]:
    return (name for image in images for name in planted_names(image) if books.tag(name) is None)


async def _volumes(world: World) -> list[Planted]:
    known = await world.ledger.read(lambda books: {volume.id for volume in books.volumes()})
    names = sorted(seen.name for seen in await world.engine.volumes() if seen.name not in known)
    return [Planted(kind="volume", name=name, why=HAS_NAME) for name in names if is_planted_volume(name)]


async def _networks(world: World) -> list[Planted]:
    known = await world.ledger.read(lambda books: {network.id for network in books.networks()})
    settled = world.clock.now() - YOUNG
    names = sorted(
        seen.name for seen in await world.engine.networks() if seen.id not in known and seen.created_at < settled
    )
    return [Planted(kind="network", name=name, why=HAS_NAME) for name in names if is_planted_network(name)]


async def look(world: World) -> None:
    """Notice that the gateway is in force now, and tell what was left behind while it only watched."""
    observing = world.settings().docker.observing(world.clock.now())
    watched = await world.ledger.read(lambda books: bool(books.note(WATCHED)))
    if observing and not watched:
        await world.ledger.write(lambda books: books.put_note(WATCHED, "yes"))
    elif watched and not observing:
        left = await planted(world)
        await world.ledger.write(lambda books: _ended(books, world, left))


def _ended(books: Books, world: World, left: tuple[Planted, ...]) -> None:
    books.put_note(WATCHED, "")
    books.record(
        Event(
            at=world.clock.now(), type=EventType.DOOR_IN_FORCE, actor=None, uid=None, subject="gateway",
            details={"left": counted(left), "names": named(left)} if left else {},
        )
    )  # fmt: skip
