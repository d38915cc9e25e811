"""Containers of DS01 that the ledger does not know: what was lost is written down again, what never was is cleared."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import datetime, timedelta

from ds01.domain.container import Container, ContainerId, ContainerState, Observed
from ds01.domain.errors import NO_USER, Ds01Error
from ds01.domain.guard import as_owner
from ds01.domain.labels import Label
from ds01.domain.lease import LeaseId
from ds01.domain.people import Uid
from ds01.domain.reconcile import Stranger, judge_stranger
from ds01.domain.seal import genuine
from ds01.ports.engine import LOOK_SECONDS
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services import volumes
from ds01.services.caller import identify
from ds01.services.recover import adopt
from ds01.services.remove import drop_layer
from ds01.services.seal import seal_key
from ds01.services.world import World

_log = logging.getLogger(__name__)

SETTLED = timedelta(minutes=6)
"""A container nobody recorded in this time never will be: a reservation does not last as long."""
_CONDEMNED = "clear:"
"""Begins the ledger's note of a container that its launch could not take back."""


async def meet(world: World, stranger: Observed, *, believed: bool = False) -> None:
    """Adopt it, clear it, or leave it alone. Whoever is at work on its name now made it, and will record it.

    ``believed``: the ledger is new and the key of the seal was lost with the old one, so labels are all there is.
    """
    uid, name = owner(stranger), stranger.labels.get(Label.NAME, "")
    if uid is None or world.locks.busy(uid, name):
        return
    async with world.locks.hold(uid, name, "the reconciler"):
        stranger = await _settled(world, stranger)
        match await _judge(world, stranger, uid, name):
            case Stranger.ADOPT:
                await _adopt(world, stranger, believed=believed)
            case Stranger.CLEAR:
                await clear(world, stranger)
            case Stranger.IGNORE:
                pass


async def _settled(world: World, stranger: Observed) -> Observed:
    """It, when nothing is being done to it any more.

    A list does not wait for a start that is going on: whoever asked for it may have been killed since. What has run
    must not be taken for what never ran, or a job would run twice.
    """
    if stranger.ever_started:
        return stranger
    return await world.engine.inspect(stranger.id, seconds=LOOK_SECONDS) or stranger


async def _judge(world: World, stranger: Observed, uid: Uid, name: str) -> Stranger:
    recorded, namesake, condemned = await world.ledger.read(
        lambda books: (
            books.container(stranger.id), books.named(uid, name), books.note(_CONDEMNED + stranger.id)
        )
    )  # fmt: skip
    if recorded is not None and recorded.state is not ContainerState.REMOVED:
        return Stranger.IGNORE
    return judge_stranger(
        stranger,
        removed=recorded is not None or condemned is not None,
        name_taken=namesake is not None,
        settled=world.clock.now() - stranger.created_at > SETTLED,
    )


async def discard(world: World, container: ContainerId) -> None:
    """Remove a container whose launch failed; when the engine cannot now, the reconciler does it later."""
    try:
        await world.engine.remove(container, force=True)
    except Ds01Error:
        await world.ledger.write(lambda books: books.put_note(_CONDEMNED + container, "yes"))
        raise


async def leave_behind(world: World, container: ContainerId) -> None:
    """Remove a container that another one has replaced. What cannot be done now is the reconciler's."""
    seen = await world.engine.inspect(container)
    try:
        if seen is not None:
            await clear(world, seen)
    except Ds01Error as error:
        _log.warning("left to the reconciler", extra={"container": container, "why": error.problem.reason})


async def clear(world: World, left: Observed) -> None:
    """Remove what is left of a launch that never ended, with all it had reserved."""
    _log.warning("clearing what was left behind", extra={"container": left.id, "named": left.stored_name})
    seen = await world.engine.inspect(left.id)
    await world.engine.remove(left.id, force=True)
    if seen is not None:
        await drop_layer(world, seen.image)
    await world.ledger.write(lambda books: _give_back(books, left, world.clock.now()))
    pins = left.labels.get(Label.PINS, "")
    if pins and not await world.ledger.read(lambda books: any(c.pins == pins for c in books.containers())):
        await asyncio.to_thread(world.host.unpin, pins)


def owner(seen: Observed) -> Uid | None:
    """Whose it says it is."""
    text = seen.labels.get(Label.OWNER, "")
    return Uid(int(text)) if text.isdecimal() else None


async def _adopt(world: World, stranger: Observed, *, believed: bool) -> None:
    """One whose labels DS01 did not write stays nobody's: ``services/confine`` sees to it when it runs."""
    seen = await world.engine.inspect(stranger.id, seconds=LOOK_SECONDS)
    if seen is None or not (believed or genuine(seen.labels, await seal_key(world))):
        return
    found = await world.ledger.write(lambda books: adopt(books, seen, world.clock.now()))
    _log.warning("found a container", extra={"container": seen.id, "owner": seen.labels[Label.OWNER]})
    if found is None:
        _log.error("its labels cannot be read", extra={"container": seen.id})
    elif seen.volume_folders:
        await _adopt_volumes(world, found, seen)


async def _adopt_volumes(world: World, found: Container, seen: Observed) -> None:
    """Those that nobody named have no labels that say whose they are: they are its owner's, unless she is no more."""
    try:
        caller = await identify(world, found.uid)
    except Ds01Error as error:
        if error.kind is not NO_USER:
            raise
        return
    there = [await world.engine.volume(name) for name in seen.volume_folders]
    nameless = {each.name: each.folder for each in there if each is not None and Label.OWNER not in each.labels}
    if caller.owns(found):
        untouched = as_owner(found) and not seen.ever_started
        await volumes.adopt(world, caller, replace(seen, volume_folders=nameless), (), hers=untouched)


def _give_back(books: Books, left: Observed, now: datetime) -> None:
    label = left.labels.get(Label.LEASE, "")
    lease = books.lease(LeaseId(label)) if label else None
    if lease is not None and lease.state.open and lease.container in (None, left.id):
        leases.release(books, lease.id, "its container never came to be", now)
