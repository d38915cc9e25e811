"""Volumes of users: made before a container is, owned before and after, counted, and handed to their owner.

The engine answers a second create of one name with the first one's volume, whoever's that is. So whose it is, is
looked at before and again afterwards, under a lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ds01.domain.container import Container, Observed
from ds01.domain.errors import NAME_TAKEN, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.labels import Label
from ds01.domain.names import stored_volume
from ds01.domain.seal import genuine_thing, sealed_thing
from ds01.domain.volume import Volume, check_volumes
from ds01.ports.engine import VolumeSeen
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.disk import check_any_room
from ds01.services.seal import seal_key
from ds01.services.tickets import Coming
from ds01.services.world import World

KIND = "volume"
IS_TMPFS = "type"
"""An option only volumes in memory have; their files are made anew each time, with the owner the options say."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A volume of the caller's, and its folder on the host. ``fresh``: nothing is in it yet."""

    volume: Volume
    folder: str
    fresh: bool


async def make(
    world: World, caller: Caller, name: str, labels: Mapping[str, str], options: Mapping[str, str]
) -> Held:  # fmt: skip
    """The caller's volume of this name, made when it is not there. Raises Ds01Error when it cannot be hers, or is one
    too many.
    """
    async with room(world, caller, [name]):
        return await provide(world, caller, name, labels, options)


@asynccontextmanager
async def room(world: World, caller: Caller, names: Iterable[str], nameless: int = 0) -> AsyncIterator[Coming]:
    """Room for the volumes of these names, where they are not there yet, and for some that nobody names. They count
    with those of others' requests for as long as this lasts. Raises Ds01Error when there is none.
    """
    named = frozenset([await _stored(world, caller, name) for name in names])
    coming = Coming(uid=caller.uid, named=named, nameless=nameless)
    with world.tickets.volumes(coming) as before:
        await _check(world, caller, coming, before)
        yield coming


async def provide(
    world: World, caller: Caller, name: str, labels: Mapping[str, str], options: Mapping[str, str]
) -> Held:  # fmt: skip
    """The same as ``make`` where there is ``room``."""
    stored, key = await _stored(world, caller, name), await seal_key(world)
    async with world.locks.hold(caller.uid, _lock(stored), "create", told=f"Volume '{name}' is busy"):
        known = await world.ledger.read(lambda books: books.volume(stored))
        before = await world.engine.volume(stored)
        if (known is not None and not _hers(known, caller)) or (
            before is not None and not _right(before, caller, known, key)
        ):
            raise _taken(name)
        if before is not None and known is not None:
            return await _held(world, known, before)
        owned = {**labels, Label.OWNER: str(caller.uid), Label.EPOCH: str(caller.epoch)}
        given = sealed_thing(KIND, stored, owned, key)
        seen = before or await world.engine.create_volume(stored, given, dict(options))
        if not _right(seen, caller, known, key):
            raise _taken(name)
        volume = Volume(id=stored, uid=caller.uid, epoch=caller.epoch, name=name, created_at=world.clock.now())
        if IS_TMPFS not in options:
            await asyncio.to_thread(world.host.hand_over, caller.user, seen.folder)
        await world.ledger.write(lambda books: _record(books, world, volume))
        return await _held(world, volume, seen)


def _taken(name: str) -> Ds01Error:
    return Ds01Error(
        NAME_TAKEN, f"The volume name {name} cannot be used.",
        reason="The engine has a volume under it that is not yours: it was made past DS01, or by the account that had "
        "your uid before.",
        hint="Choose another name, or ask your admin to remove that volume.",
    )  # fmt: skip


def _lock(stored: str) -> str:
    """What whoever makes or forgets it holds; by the engine's name, as two names may mean one."""
    return f"volume {stored}"


async def _stored(world: World, caller: Caller, name: str) -> str:
    """The engine's name: an anonymous volume of hers has none but the engine's."""
    known = await world.ledger.read(lambda books: books.volume(name))
    if known is not None and known.anonymous and _hers(known, caller):
        return known.id
    return stored_volume(name, caller.uid)


def _hers(volume: Volume, caller: Caller) -> bool:
    return (volume.uid, volume.epoch) == (caller.uid, caller.epoch)


def _right(seen: VolumeSeen, caller: Caller, known: Volume | None, key: str) -> bool:
    """Whether it is the caller's. One that the ledger does not know is hers only when DS01 made it: somebody else may
    have put it there under her name.
    """
    if known is not None and known.anonymous:
        return True
    labelled = (seen.labels.get(Label.OWNER), seen.labels.get(Label.EPOCH)) == (str(caller.uid), str(caller.epoch))
    return labelled and (known is not None or genuine_thing(KIND, seen.name, seen.labels, key))


async def _held(world: World, volume: Volume, seen: VolumeSeen) -> Held:
    return Held(volume=volume, folder=seen.folder, fresh=await asyncio.to_thread(world.host.is_empty, seen.folder))


async def _check(world: World, caller: Caller, coming: Coming, before: Sequence[Coming]) -> None:
    """So many are allowed, and there is room on the disk; volumes that went with their containers do not count."""
    have, more = await world.ledger.read(lambda books: _counted(books, caller, coming, before))
    if more:
        await check_any_room(world, caller)
    if caller.limits.volumes is not None and more and have + more > caller.limits.volumes:
        await tidy(world)
        have, more = await world.ledger.read(lambda books: _counted(books, caller, coming, before))
    check_volumes(have, more, caller.limits)


def _counted(books: Books, caller: Caller, coming: Coming, before: Sequence[Coming]) -> tuple[int, int]:
    """How many she has, counting what is being made, and how many more come."""
    there = {volume.id for volume in own_volumes(books, caller)}.union(*(each.named for each in before))
    return len(there) + sum(each.nameless for each in before), len(coming.named - there) + coming.nameless


def own_volumes(books: Books, caller: Caller) -> tuple[Volume, ...]:
    """Those of the account as it is now."""
    return tuple(volume for volume in books.volumes(caller.uid) if _hers(volume, caller))


async def nameless(world: World, container: Container) -> int:
    """How many volumes go with this container, because nobody named them."""
    seen = await world.engine.inspect(container.id)
    if seen is None:
        return 0
    found = await world.ledger.read(lambda books: [books.volume(name) for name in seen.volumes])
    return sum(volume is not None and volume.anonymous for volume in found)


async def adopt(
    world: World, caller: Caller, made: Observed, fresh: Iterable[str], *, hers: bool
) -> tuple[Volume, ...]:  # fmt: skip
    """The volumes the engine made for a container are its owner's.

    Where everything in it runs as she, they and the ``fresh`` ones are handed to her with what the engine put there.
    """
    if hers:
        for folder in fresh:
            await asyncio.to_thread(world.host.hand_over, caller.user, folder)
    found = [await _adopted(world, caller, made, name, hers=hers) for name in made.volume_folders]
    return tuple(volume for volume in found if volume is not None)


async def _adopted(world: World, caller: Caller, made: Observed, name: str, *, hers: bool) -> Volume | None:
    """One that the ledger does not know."""
    async with world.locks.hold(caller.uid, _lock(name), "create", told="A volume of this container is busy"):
        if await world.ledger.read(lambda books: books.volume(name)) is not None:
            return None
        if hers:
            await asyncio.to_thread(world.host.hand_over, caller.user, made.volume_folders[name])
        volume = Volume(
            id=name, uid=caller.uid, epoch=caller.epoch, name=name, created_at=made.created_at, anonymous=True
        )
        await world.ledger.write(lambda books: _record(books, world, volume))
        return volume


def _record(books: Books, world: World, volume: Volume) -> None:
    books.put_volume(volume)
    books.record(_event(world, EventType.VOLUME_CREATED, volume))


def _event(world: World, kind: EventType, volume: Volume) -> Event:
    return Event(
        at=world.clock.now(), type=kind, actor=volume.uid, uid=volume.uid, subject=volume.id,
        details={"name": volume.name},
    )  # fmt: skip


async def tidy(world: World) -> None:
    """Forget what the engine no longer has."""
    there = {seen.name for seen in await world.engine.volumes()}
    for volume in await world.ledger.read(lambda books: [each for each in books.volumes() if each.id not in there]):
        await _forget(world, volume)


async def removed(world: World, gone: Iterable[Volume]) -> None:
    """The engine has removed these. One that it has all the same was made again since: who hears of what comes and
    goes is told that it is there.
    """
    there = [volume for volume in gone if not await _forget(world, volume)]
    if there:
        await world.ledger.write(lambda books: _tell_again(books, world, there))


async def _forget(world: World, volume: Volume) -> bool:
    """Take it out of the ledger unless the engine has it now, or somebody is making it."""
    if world.locks.busy(volume.uid, _lock(volume.id)):
        return False
    async with world.locks.hold(volume.uid, _lock(volume.id), "remove", told=f"Volume '{volume.name}' is busy"):
        if await world.engine.volume(volume.id) is not None:
            return False
        await world.ledger.write(lambda books: _drop(books, world, volume))
    return True


def _drop(books: Books, world: World, volume: Volume) -> None:
    if books.volume(volume.id) is not None:
        books.drop_volume(volume.id)
        books.record(_event(world, EventType.VOLUME_REMOVED, volume))


def _tell_again(books: Books, world: World, there: Iterable[Volume]) -> None:
    for volume in there:
        if books.volume(volume.id) is not None:
            books.record(_event(world, EventType.VOLUME_CREATED, volume))
