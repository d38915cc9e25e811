"""The key of the seal on labels, and what is believed of an image's labels by it.

It is made once and kept in the ledger, and by whoever starts ds01d in a file beside it as well (``adopt_key``): with
that, a ledger that was lost costs nobody the knowledge of who wrote a label.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ds01.domain.image import Image
from ds01.domain.labels import Label
from ds01.domain.record import replace
from ds01.domain.seal import genuine_thing, sealed_thing
from ds01.ports.ledger import Books
from ds01.services.world import World

if TYPE_CHECKING:
    from ds01.services.caller import Caller

KEY = "seal.key"
_OLDER = "seal.older"
"""The ledger's note that its key is older than itself."""
IMAGE = "image"
_OWNERS = (Label.OWNER, Label.EPOCH)


async def seal_key(world: World) -> str:
    """The key of this ledger."""
    known: str | None = world.ledger.glance(lambda books: books.note(KEY))
    return known if known is not None else await world.ledger.write(_made)


def _made(books: Books) -> str:
    known = books.note(KEY) or secrets.token_hex(32)
    books.put_note(KEY, known)
    return known


async def adopt_key(world: World, kept: str | None) -> str:
    """The key of this ledger at a start. A ledger that has none, because it is new, takes the one that was ``kept``."""

    def write(books: Books) -> str:
        if books.note(KEY) is None and kept:
            books.put_note(KEY, kept)
            books.put_note(_OLDER, "yes")
        return _made(books)

    return await world.ledger.write(write)


def older_key(books: Books) -> str | None:
    """The key, where it is older than a ledger that was lost: it tells what DS01 made from what others wrote."""
    return books.note(KEY) if books.note(_OLDER) else None


async def image_labels(world: World, caller: Caller) -> dict[str, str]:
    """What every image gets that the caller makes: whose it is, and that DS01 says so."""
    owned = {Label.OWNER: str(caller.uid), Label.EPOCH: str(caller.epoch)}
    return sealed_thing(IMAGE, "", owned, await seal_key(world))


def believed(books: Books, image: Image) -> Image:
    """The image without what its labels say of an owner, unless DS01 wrote them."""
    return image if Label.OWNER not in image.labels else sealed_alone(image, books.note(KEY))


def sealed_alone(image: Image, key: str | None) -> Image:
    """The image without what its labels say of an owner, unless they bear the seal of this key."""
    if key and genuine_thing(IMAGE, "", image.labels, key):
        return image
    return replace(image, labels={name: value for name, value in image.labels.items() if name not in _OWNERS})
