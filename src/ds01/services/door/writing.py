"""Image names through the Docker door: who may write them, and what the ledger knows when they are written.

Names are reserved before the engine is asked, so that between the check and the write nobody else writes them. What
the engine did is read from the engine afterwards, not believed from what it said: a client that hangs up in the last
moment has its image or has it not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial

from ds01.domain.dockerpolicy.tags import Standing, Write, written_as
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.errors import DISK_FULL, ENGINE_DOWN, LEDGER_ERROR, NOT_ALLOWED, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.image import EVERY_TAG, Image, ImageId, Ownership, Provenance, Tag, covers, repository
from ds01.domain.own_images import plain_image, stored_image
from ds01.ports.ledger import Books
from ds01.services import build_cache
from ds01.services.caller import Caller, identify
from ds01.services.disk import check_number, check_room, written
from ds01.services.door.amounts import brought, left_of
from ds01.services.door.giving_way import give_way, pulled_over, put_aside, take_back
from ds01.services.door.going_on import check_heard, held
from ds01.services.door.meaning import meant
from ds01.services.door.meaning import there as there_of
from ds01.services.door.own import hers
from ds01.services.door.pinning import loosen
from ds01.services.door.unended import left_by
from ds01.services.door.weighing import drop_heavy
from ds01.services.image_records import access_of, accounts, refused, shown, used_by_others
from ds01.services.seal import image_labels
from ds01.services.settled import raise_first, settle_each
from ds01.services.tickets import LATE_SECONDS, Names
from ds01.services.world import World
from ds01.wire.door import DoorImage, DoorRoom, DoorWrite, DoorWriteGrant, DoorWritten, Writing

UNWRITTEN = frozenset({DISK_FULL, LEDGER_ERROR})
"""What is no answer to the end of a writing: the gateway says that again."""

_TAKES = frozenset({Writing.PULL, Writing.LOAD, Writing.IMPORT, Writing.COMMIT})
"""What brings something that takes room."""

_TOLD = {
    Writing.TAG: EventType.IMAGE_TAGGED,
    Writing.PULL: EventType.IMAGE_PULLED,
    Writing.LOAD: EventType.IMAGE_LOADED,
    Writing.IMPORT: EventType.IMAGE_IMPORTED,
    Writing.COMMIT: EventType.IMAGE_COMMITTED,
    Writing.BUILD: EventType.IMAGE_BUILT,
}


async def grant(world: World, ask: DoorWrite) -> DoorWriteGrant:
    """Reserve the names. Raises Ds01Error when one of them is not hers to write."""
    caller = await identify(world, ask.uid)
    if caller.uid == 0:
        raise Ds01Error(NOT_ALLOWED, "root does not write images here.", hint="Use an ordinary account")
    if ask.container:
        await world.ledger.read(lambda books: hers(books, caller, ask.container, admins=True))
    left, more = None, await brought(world, caller, ask)
    if ask.what in _TAKES:
        left = await check_room(world, caller, more_bytes=written(world, ask.container), more_images=more)
    else:
        await check_number(world, caller, more=more)
    tags, marks = await left_of(world, caller, ask), await image_labels(world, caller)
    names = await reserve(
        world, caller, ask.refs, pulling=ask.what is Writing.PULL, private=ask.private, image=ask.image
    )  # fmt: skip
    return DoorWriteGrant(
        ticket=names.id, labels=marks, left_bytes=left,
        names=dict(names.own), held=held(names), left_images=tags.images, has=tags.has,
    )  # fmt: skip


async def room(world: World, uid: int, *, image: bool) -> DoorRoom:
    """How much more may come, in an image or otherwise. Raises Ds01Error when there is no room at all."""
    return DoorRoom(left_bytes=await check_room(world, await identify(world, uid), more_images=int(image)))


async def reserve(
    world: World, caller: Caller, refs: Iterable[str], *, pulling: bool = False, private: bool = False, image: str = ""
) -> Names:
    """Reserve names for whoever may write them. Raises Ds01Error."""
    check_heard(world)
    async with world.tickets.turn(caller.uid):
        return await _reserve(world, caller, tuple(refs), pulling=pulling, private=private, image=image)


async def _reserve(
    world: World, caller: Caller, refs: tuple[str, ...], *, pulling: bool, private: bool, image: str
) -> Names:
    own = {ref: stored_image(ref, caller.uid) for ref in refs}
    for names in world.tickets.broken_off((*refs, *own.values())):
        await drop_heavy(world, names, ())
        await record(world, names, _what(names), (), done=False)
    there, has = await _there(world, refs), await _has_own(world, caller, own.values())

    def chosen(books: Books) -> dict[str, str]:
        wishes = [Write(ref=ref, uid=caller.uid, pulled=pulling, image=image, admin=caller.admin) for ref in there]
        return {
            wish.ref: written_as(
                wish, _standing(world, books, caller, wish.ref, there[wish.ref]),
                has_own=covers(has, stored_image(wish.ref, caller.uid)), settings=world.settings().images,
            )
            for wish in wishes
        }  # fmt: skip

    try:
        spelled = await world.ledger.read(chosen)
    except RefusedError as error:
        raise refused(error) from error
    apart = {ref: stored for ref, stored in spelled.items() if stored != ref}
    there = {ref: found for ref, found in there.items() if ref not in apart} | await _there(world, apart.values())
    before = {ref: found.id if found else "" for ref, found in there.items()}
    aside = await put_aside(world, caller, there) if pulling else {}
    return world.tickets.reserve(
        caller, before, world.clock.monotonic(), pulling=pulling, private=private, own=apart, aside=aside
    )  # fmt: skip


async def _has_own(world: World, caller: Caller, own: Collection[str]) -> Sequence[str]:
    """Which of these names in her own name space she has, in the ledger and in the engine."""
    known = await world.ledger.read(lambda books: [t.ref for t in books.tags(caller.uid) if covers(own, t.ref)])
    return [ref for ref, image in (await meant(world, known)).items() if image is not None]


async def _there(world: World, refs: Collection[str]) -> dict[str, Image | None]:
    """What each name names now; of a whole repository, what each of its tags does."""
    every_tag = {ref for ref in refs if ref.endswith(EVERY_TAG)}
    found = {**dict.fromkeys(every_tag), **await meant(world, set(refs) - every_tag)}
    whole = set(map(repository, every_tag))
    if whole:
        every = {tag: image for image in await world.engine.images() for tag in image.tags}
        found |= {tag: image for tag, image in every.items() if repository(tag) in whole}
    return found


def _standing(world: World, books: Books, caller: Caller, ref: str, found: Image | None) -> Standing:
    writer = world.tickets.writing(ref, caller.uid, world.clock.monotonic())
    return Standing(
        image=found.id if found else "",
        tag=books.tag(ref),
        alone=found is not None and _alone(world, books, caller, found),
        seen=found is not None and access_of(world, books, found).named(ref, f"{caller.uid}:{caller.epoch}"),
        writer=writer.caller.uid if writer else None,
        pulling=writer is not None and writer.pulling,
    )


def _alone(world: World, books: Books, caller: Caller, image: Image) -> bool:
    owners = access_of(world, books, image).owners
    return owners == {accounts(books)(caller.uid)} and not used_by_others(books, image.id, caller.uid)


async def over(world: World, ask: DoorWritten) -> tuple[DoorImage, ...]:
    """Record what was written. What was broken off is looked at again a little later, and so is what an engine that is
    away cannot say. Raises Ds01Error also where the ledger cannot write: then it is not over.
    """
    check_heard(world)
    async with world.tickets.turn(ask.asked.uid):
        names = world.tickets.written(ask.ticket) or await _restored(world, ask)
        if not ask.done and names.refs:
            world.tickets.keep(names, world.clock.monotonic() + LATE_SECONDS)
        try:
            known = (*ask.images, ask.asked.image)
            heavy = None if ask.asked.what is Writing.TAG else await drop_heavy(world, names, ask.images)
            found = await record(world, names, ask.asked.what, ask.images, done=ask.done, known=known)
            if heavy is not None:
                raise heavy
            return found
        except Ds01Error as error:
            put_off(world, names, error)
            return ()


def put_off(world: World, names: Names, error: Ds01Error) -> None:
    """What an engine that is away cannot say is looked at a little later. Raises any other error; what the ledger could
    not write down is its writer's still.
    """
    if error.kind in UNWRITTEN:
        world.tickets.put_back(names)
    if error.kind is not ENGINE_DOWN:
        raise error
    world.tickets.keep(names, world.clock.monotonic() + LATE_SECONDS)


async def _restored(world: World, ask: DoorWritten) -> Names:
    """The names a ds01d had granted that was stopped since. Those somebody has a record of stay as they are."""
    asked = ask.asked
    caller = await identify(world, asked.uid)
    known = await world.ledger.read(lambda books: [ref for ref in asked.refs if books.tag(ref) is not None])
    free = frozenset(asked.refs) - frozenset(known)
    return Names(
        id=ask.ticket, caller=caller, refs=free, expires_at=world.clock.monotonic(), pulling=asked.what is Writing.PULL,
        private=asked.private,
    )  # fmt: skip


async def lapse(world: World) -> None:
    """Look once more at what was broken off: others have their turns in between. The daemon calls this now and then."""
    late = world.tickets.late(world.clock.monotonic())
    raise_first(await settle_each(partial(_in_turn, world, names, late) for names in late))


async def _in_turn(world: World, names: Names, late: Sequence[Names]) -> None:
    async with world.tickets.turn(None):
        if world.tickets.lapsed(names.id, world.clock.monotonic()):
            await _looked_again(world, names, late)


async def _looked_again(world: World, names: Names, late: Sequence[Names]) -> None:
    """What an engine that is away did is found when it is back, and written down when the ledger can write. ``late``
    are all that are looked at now.
    """
    try:
        names = await build_cache.ended(world, names)
        await drop_heavy(world, names, ())
        await record(world, names, _what(names), (), done=False, late=late)
        await take_back(world, names)
        await loosen(world, names)
    except Ds01Error as error:
        if error.kind in {ENGINE_DOWN, *UNWRITTEN}:
            world.tickets.keep(names, world.clock.monotonic() + LATE_SECONDS)
        if error.kind is not ENGINE_DOWN:
            raise


def _what(names: Names) -> Writing:
    return Writing.PULL if names.pulling else Writing.LOAD


async def record(
    world: World, names: Names, what: Writing, images: Iterable[str], *, done: bool, known: Collection[str] = (),
    late: Sequence[Names] = (),
) -> tuple[DoorImage, ...]:  # fmt: skip
    """Write down what the engine has now under these names, and the images ``images`` as their user's. ``known`` are
    images she was known to have when she wrote; ``late`` as in ``left_by``.
    """
    there = await _there(world, names.refs)
    if names.pulling and not done:
        there = await left_by(world, names, there, late)
    moved = await give_way(world, names, there, known)
    found = {ref: image for ref, image in there.items() if ref not in names.yields}
    done = done and not any(ref.endswith(EVERY_TAG) for ref in names.refs)
    new = {
        ref: image for ref, image in found.items() if image is not None and (done or image.id != names.before.get(ref))
    } | moved
    over = await pulled_over(world, names.caller, new) if names.pulling else []
    made = await there_of(world, tuple(images))
    former = await there_of(world, {*names.before.values(), *over} - {""})
    if not (new or made):
        return ()

    def write(books: Books) -> tuple[DoorImage, ...]:
        for ref, image in new.items():
            _put(world, books, names, what, ref, image)
        for image in (*made, *(new.values() if what is not Writing.TAG else ())):
            own(world, books, names.caller, image.id)
        of = accounts(books)
        every = {image.id: image for image in (*former, *made, *new.values())}
        return tuple(shown(world, books, image, of) for image in every.values())

    return await world.ledger.write(write)


def own(world: World, books: Books, caller: Caller, image: ImageId) -> None:
    """She brought it."""
    if not any(caller.owns(o) for o in books.ownerships(image=image)):
        books.put_ownership(Ownership(image=image, uid=caller.uid, epoch=caller.epoch, at=world.clock.now()))


def _put(world: World, books: Books, names: Names, what: Writing, ref: str, image: Image) -> None:
    caller, known = names.caller, books.tag(ref)
    same = known is not None and known.image == image.id
    if same and known is not None and (known.provenance is Provenance.REGISTRY or not names.pulling):
        return
    if names.pulling:
        tag = Tag(ref=ref, image=image.id, provenance=_pulled(names), owner=None)
    else:
        tag = Tag(ref=ref, image=image.id, provenance=Provenance.USER, owner=caller.uid)
    books.put_tag(tag)
    books.record(
        Event(
            at=world.clock.now(), type=_TOLD[what], actor=caller.actor, uid=caller.uid,
            subject=plain_image(ref, caller.uid), details={"image": image.id},
        )
    )  # fmt: skip


def _pulled(names: Names) -> Provenance:
    return Provenance.PRIVATE if names.private else Provenance.REGISTRY
