"""The disk ledger: what everybody's images, containers and volumes take, kept as cheap as a question.

What an image's layers are never changes, so it is asked once. How large writable layers and volumes are changes all
the time and is slow to find out: the engine walks through every file. It is measured now and then, and what is shown
is what was measured last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ds01.domain.build_cache import cache_shares
from ds01.domain.container import ContainerId
from ds01.domain.disk import Held, Layer, Use, check_images, counts, largest, room, shares
from ds01.domain.dockerpolicy.weight import size
from ds01.domain.errors import Ds01Error
from ds01.domain.image import Image
from ds01.domain.image_access import Access, is_common
from ds01.domain.own_images import plain_image
from ds01.ports.ledger import Books
from ds01.services.build_cache import books_of, learned
from ds01.services.caller import Caller
from ds01.services.image_records import access_of
from ds01.services.measured import SHOWN_SECONDS
from ds01.services.world import World

AT_ONCE = 100
"""Images whose layers are asked for one question at most; the others count as one layer until the next."""


async def measure(world: World) -> None:
    """Measure what is slow to find out. The daemon calls this now and then."""
    world.disk.use = await world.engine.disk_use()
    world.disk.cache, _ = await learned(world)
    await _learn(world, await world.engine.images())


async def _learn(world: World, images: Iterable[Image]) -> None:
    async with world.disk.learning:
        there = {image.id for image in images}
        world.disk.layers = {id_: layers for id_, layers in world.disk.layers.items() if id_ in there}
        for image in sorted(there - world.disk.layers.keys())[:AT_ONCE]:
            world.disk.layers[image] = await world.engine.layers(image)


async def uses(world: World) -> Mapping[str, Use]:
    """What every account takes, as ``uid:epoch``."""
    images = await world.engine.images()
    await _learn(world, images)
    found = await world.ledger.read(lambda books: _uses(world, books, images))
    world.disk.shown = (world.clock.monotonic(), found)
    return found


async def use_shown(world: World, caller: Caller) -> Use:
    """What a user takes, to be shown: a few seconds old at most."""
    at, found = world.disk.shown
    if world.clock.monotonic() - at >= SHOWN_SECONDS:
        found = await uses(world)
    return found.get(_account(caller), Use())


async def check_any_room(world: World, caller: Caller) -> None:
    """The same for what takes little room itself. What was shown last is good enough to let it pass, not to refuse."""
    most = caller.limits.disk_images_bytes
    if most is not None and (await use_shown(world, caller)).total_bytes >= most:
        await check_room(world, caller)


async def check_number(world: World, caller: Caller, *, more: int) -> None:
    """So many more images may come, or names of some. What was shown last is good enough to let them pass. Raises
    Ds01Error (``image.quota``).
    """
    try:
        check_images(await use_shown(world, caller), caller.limits, more)
    except Ds01Error:
        check_images((await uses(world)).get(_account(caller), Use()), caller.limits, more)


async def check_room(world: World, caller: Caller, *, more_bytes: int = 0, more_images: int = 0) -> int | None:
    """How much more this user's images and containers may take. Raises Ds01Error (``disk.quota``, ``image.quota``)."""
    most = caller.limits.disk_images_bytes
    if most is None and not more_images:
        return None
    use = (await uses(world)).get(_account(caller), Use())
    if more_images:
        check_images(use, caller.limits, more_images)
    return room(use, most, more_bytes=more_bytes)


async def images_left(world: World, caller: Caller) -> int | None:
    """How many more images this user may have; None: no limit."""
    limit = caller.limits.images
    return None if limit is None else max(0, limit - (await uses(world)).get(_account(caller), Use()).images)


def written(world: World, container: str) -> int:
    """How large a container's writable layer was when it was measured last."""
    return world.disk.use.containers.get(ContainerId(container), 0)


def _account(caller: Caller) -> str:
    return f"{caller.uid}:{caller.epoch}"


def _uses(world: World, books: Books, images: Sequence[Image]) -> dict[str, Use]:
    held = [_held(world, books, image) for image in images]
    paid = shares(held)
    containers: dict[str, int] = {}
    for container in books.containers():
        account = f"{container.uid}:{container.epoch}"
        containers[account] = containers.get(account, 0) + world.disk.use.containers.get(container.id, 0)
    volumes: dict[str, int] = {}
    for volume in books.volumes():
        account = f"{volume.uid}:{volume.epoch}"
        volumes[account] = volumes.get(account, 0) + world.disk.use.volumes.get(volume.id, 0)
    counted = counts(held, [image.id for image in images])
    known = books_of(books)
    cache = cache_shares(world.disk.cache, known.owners, known.dropped)
    return {
        account: Use(
            images_bytes=paid.get(account, 0), containers_bytes=containers.get(account, 0),
            volumes_bytes=volumes.get(account, 0), cache_bytes=cache.get(account, 0),
            largest=largest(held, account), images=counted.get(account, (0, 0))[0],
            labels_bytes=counted.get(account, (0, 0))[1],
        )
        for account in {*counted, *paid, *containers, *volumes, *cache}
    }  # fmt: skip


def _held(world: World, books: Books, image: Image) -> Held:
    settings = world.settings().images
    own = Layer(id=image.id, size_bytes=image.size_bytes)
    found = access_of(world, books, image)
    return Held(
        owners=found.owners,
        common=any(is_common(ref, books.tag(ref), settings) for ref in image.tags),
        layers=world.disk.layers.get(image.id, (own,)),
        called={account: name for account in found.owners if (name := _called(image, found, account))},
        named=Counter(reader for ref, reader in found.readers.items() if "@" not in ref and ":" in reader),
        labels_bytes=size(image.labels),
    )


def _called(image: Image, found: Access, account: str) -> str:
    name = next((ref for ref in image.tags if found.named(ref, account)), "")
    return plain_image(name, int(account.partition(":")[0]))
