"""What the ledger knows of an image: the records of its names and who brought it, as the rules want them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.errors import BAD_NAME, CONTAINER_QUOTA, NAME_TAKEN, NO_IMAGE, NOT_ALLOWED, Ds01Error
from ds01.domain.image import Image, ImageId, Tag
from ds01.domain.image_access import Access, Accounts, access
from ds01.domain.people import Uid
from ds01.ports.ledger import Books
from ds01.services.seal import believed
from ds01.services.world import World
from ds01.wire.door import DoorImage

_KINDS = {400: BAD_NAME, 403: NOT_ALLOWED, 404: NO_IMAGE, 409: NAME_TAKEN, 429: CONTAINER_QUOTA}


def accounts(books: Books) -> Accounts:
    """From a uid to the account that has it now, asked once for each."""

    @cache
    def of(uid: Uid) -> str:
        account = books.account(uid)
        return f"{uid}:{account.epoch if account is not None else -1}"

    return of


def names_of(books: Books, image: Image) -> dict[str, Tag | None]:
    """The names of an image with their records."""
    return {ref: books.tag(ref) for ref in (*image.tags, *image.digests)}


def access_of(world: World, books: Books, image: Image, of: Callable[[Uid], str] | None = None) -> Access:
    """Who may see an image."""
    return access(
        believed(books, image), names_of(books, image), books.ownerships(image=image.id), of or accounts(books),
        world.settings().images,
    )  # fmt: skip


def shown(world: World, books: Books, image: Image, of: Callable[[Uid], str] | None = None) -> DoorImage:
    """An image as the gateway needs it."""
    found = access_of(world, books, image, of)
    readers = {ref: reader for ref, reader in found.readers.items() if reader or "@" not in ref}
    return DoorImage(id=image.id, owners=tuple(sorted(found.owners)), refs=readers)


def used_by_others(books: Books, image: ImageId, uid: Uid) -> bool:
    """Whether containers of others have been made from it."""
    return any(container.image == image and container.uid != uid for container in books.containers())


def refused(error: RefusedError) -> Ds01Error:
    """A refusal of the rules as an error of ds01d."""
    what = error.what if error.status == 404 else f"{error.what}."
    return Ds01Error(_KINDS[error.status], what, reason=error.advice, rule=error.rule)
