"""Writing an image's tag: asked before a build, recorded after it."""

from __future__ import annotations

from ds01.domain.dockerpolicy.tags import check_writable, reference
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.errors import BAD_NAME, NAME_TAKEN, NO_IMAGE, NOT_ALLOWED, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.image import Image, Tag
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, identify
from ds01.services.door.known import image_shown
from ds01.services.world import World
from ds01.wire.door import DoorImage, DoorTag

_KINDS = {400: BAD_NAME, 403: NOT_ALLOWED, 409: NAME_TAKEN}


async def check(world: World, ask: DoorTag) -> None:
    """Raises Ds01Error when this user may not write this tag."""
    await identify(world, ask.uid)
    ref = _reference(ask.ref)
    there = await world.engine.image(ref) is not None
    await world.ledger.read(lambda books: _check(world, books, ask.uid, ref, exists=there))


async def written(world: World, ask: DoorTag) -> DoorImage:
    """A build wrote the tag: it is hers, if it was free or hers until now."""
    caller = await identify(world, ask.uid)
    ref = _reference(ask.ref)
    image = await world.engine.image(ref)
    if image is None:
        raise Ds01Error(NO_IMAGE, f"No such image: {ref}")
    return await world.ledger.write(lambda books: _record(world, books, caller, ref, image))


def _reference(text: str) -> str:
    try:
        return reference(text)
    except RefusedError as error:
        raise Ds01Error(_KINDS[error.status], f"{error.what}.", hint=error.advice) from error


def _check(world: World, books: Books, uid: int, ref: str, *, exists: bool) -> None:
    tag = books.tag(ref)
    owner = int(tag.owner) if tag is not None and tag.owner is not None else None
    try:
        check_writable(ref, uid, owner, exists=exists, protected=world.settings().images.protected)
    except RefusedError as error:
        raise Ds01Error(_KINDS[error.status], f"{error.what}.", hint=error.advice) from error


def _record(world: World, books: Books, caller: Caller, ref: str, image: Image) -> DoorImage:
    known = books.tag(ref)
    if known is None or known.owner != caller.uid:
        _check(world, books, caller.uid, ref, exists=known is not None)
    books.put_tag(Tag(ref=ref, image=image.id, provenance="user", owner=caller.uid))
    books.record(
        Event(
            at=world.clock.now(), type=EventType.IMAGE_BUILT, actor=caller.actor, uid=caller.uid, subject=ref,
            details={"image": image.id},
        )
    )  # fmt: skip
    return image_shown(world, books, image)
