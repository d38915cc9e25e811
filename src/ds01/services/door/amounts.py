"""How many images something brings: a load says it before the engine has its list, a pull of all tags as they come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ds01.domain.image import EVERY_TAG, Image, repository
from ds01.domain.image_access import is_common
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.disk import images_left
from ds01.services.image_records import access_of
from ds01.services.world import World
from ds01.wire.door import DoorWrite


@dataclass(frozen=True, kw_only=True)
class Left:
    """How many images of a whole repository may come besides those with the digests she ``has``; None: no limit."""

    images: int | None = None
    has: tuple[str, ...] = ()


async def brought(world: World, caller: Caller, ask: DoorWrite) -> int:
    """The names, and the images without one that would be new to her; one at least."""
    known = await _known(world, caller, ask.nameless) if ask.nameless else 0
    return max(1, len(ask.refs) + len(ask.nameless) - known)


async def _known(world: World, caller: Caller, images: Iterable[str]) -> int:
    there = [found for id_ in images if (found := await world.engine.image(id_)) is not None]
    return await world.ledger.read(lambda books: sum(_counts_already(world, books, caller, image) for image in there))


async def left_of(world: World, caller: Caller, ask: DoorWrite) -> Left:
    """What a pull may bring of all tags of a repository."""
    whole = {repository(ref) for ref in ask.refs if ref.endswith(EVERY_TAG)}
    most = await images_left(world, caller) if whole else None
    if most is None:
        return Left()
    images = await world.engine.images()
    hers = await world.ledger.read(lambda books: [i for i in images if _counts_already(world, books, caller, i)])
    digests = [ref for image in hers for ref in image.digests if repository(ref) in whole]
    return Left(images=most, has=tuple(ref.rpartition("@")[2] for ref in digests))


def _counts_already(world: World, books: Books, caller: Caller, image: Image) -> bool:
    """Whether it is hers, or one of the server's own, which costs nobody anything."""
    settings = world.settings().images
    common = any(is_common(ref, books.tag(ref), settings) for ref in image.tags)
    return common or f"{caller.uid}:{caller.epoch}" in access_of(world, books, image).owners
