"""Records of images that are gone: forgotten, when the engine has not had them for a while.

Root may remove images behind the gateway. A record of what is gone would keep others from a name, and make whoever
brings the same image again share it with somebody who has it no more. An engine that is only away for a moment, or
was started on another folder by mistake, loses nobody's records.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ds01.domain.image import ImageId
from ds01.ports.ledger import Books
from ds01.services.door.pinning import sweep
from ds01.services.world import World

_log = logging.getLogger(__name__)

GONE_SECONDS = 3600.0
"""What the engine has not had for this long is gone."""


class Gone:
    """Remembers since when the engine has not had what there is a record of. One of these looks all the time."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    async def forget(self, world: World) -> None:
        """Look once, and forget what is gone."""
        if not world.tickets.anew:  # builds may go on that nobody has spoken of yet
            await sweep(world)
        now = world.clock.monotonic()
        recorded = await world.ledger.read(_recorded)
        missing = await _missing(world, recorded)
        self._since = {each: self._since.get(each, now) for each in missing}
        over = {each for each, since in self._since.items() if now - since >= GONE_SECONDS}
        if over:
            _log.info("forgetting images", extra={"images": sorted(over)})
            await world.ledger.write(lambda books: _drop(books, over))


def _recorded(books: Books) -> set[str]:
    """Names and ids, which never look alike."""
    return {tag.ref for tag in books.tags()} | {ownership.image for ownership in books.ownerships()}


async def _missing(world: World, recorded: Iterable[str]) -> set[str]:
    """What is not in the engine's list, and not there when it is asked for by itself: the list leaves some out."""
    there: set[str] = set()
    for image in await world.engine.images():
        there |= {image.id, *image.tags, *image.digests}
    return {each for each in recorded if each not in there and await world.engine.image(each) is None}


def _drop(books: Books, over: Iterable[str]) -> None:
    for each in over:
        books.drop_tag(each)
        for ownership in books.ownerships(image=ImageId(each)):
            books.drop_ownership(ownership.image, ownership.uid)
