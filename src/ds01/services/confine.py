"""Looking at how every running container is confined, and acting on what DS01 never gave.

The engine tells of every start and every update; each container is looked at once more some seconds later and then
every few minutes, so that nothing rests on having heard of it. When the limits file changes all are looked at again,
and first of all those that have what their owner may not have any more: a limit of hers, or her group, gave it.

One that does not answer keeps nobody waiting and hides no other; that it could not be seen to yet is told once, and it
is tried again until it can be.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from math import inf

from ds01.domain import given
from ds01.domain.assembly import amounts, read_slots, resources
from ds01.domain.confinement import Amounts, Confinement, Room, claimed
from ds01.domain.container import Container, ContainerId, ContainerState, Door, Observed, StopReason
from ds01.domain.errors import BUSY, NO_CONTAINER, SILENT, UNANSWERED, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.given import Given
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.labels import Label
from ds01.domain.limits import effective
from ds01.domain.people import User
from ds01.domain.seal import genuine
from ds01.domain.settings import Settings
from ds01.domain.standing import FINE, Judgement, Remedy, claims, granted, judge_claiming, judge_outside, judge_own
from ds01.ports.engine import LOOK_SECONDS, EngineEvent
from ds01.ports.ledger import Books
from ds01.services.apart import Rounds
from ds01.services.aside import keep_free
from ds01.services.ending import record_stop
from ds01.services.guard import spend
from ds01.services.limits import of_everybody
from ds01.services.seal import seal_key
from ds01.services.settled import raise_first
from ds01.services.strangers import owner
from ds01.services.tell import tell
from ds01.services.world import World

_log = logging.getLogger(__name__)

YOUNG = timedelta(seconds=3)
"""A container this young may be on its way into the ledger."""
AGAIN_SECONDS = 300.0
"""How long one look at a container is good for, as long as nobody says that it changed."""
AT_ONCE = 40
"""Looks in one round, so that many containers are no burst of work."""
GRACE_SECONDS = 2
"""For what has no right to run: it is to be gone in ten seconds, looks and all."""
NO_REFUSAL = frozenset({BUSY, NO_CONTAINER, *UNANSWERED})
"""Errors that do not say whether a container uses more already than it may: the next look tries again."""

TO_BE_ENDED = "it was to be stopped or put back, and could not be yet"
TO_BE_SEEN = "it could not be looked at yet"
SILENT_SECONDS = 60.0
"""How long a container may not answer a look before that is told: files are copied as long."""

_Act = Callable[[], Awaitable[None]]
"""What is done about a container after a look at it."""


class Confiner:
    """Judges containers: everything in a ``round``, one with ``look``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._settings: Settings | None = None
        self._looked: dict[ContainerId, float] = {}
        self._tried: dict[ContainerId, float] = {}
        self._given: dict[ContainerId, Given] = {}
        self._told: dict[ContainerId, tuple[EventType, tuple[str, ...]]] = {}
        self._restless: dict[ContainerId, Amounts] = {}
        self._silent: dict[ContainerId, float] = {}
        self._told_silent: set[ContainerId] = set()
        self._apart = Rounds(world.clock)

    async def round(self) -> None:
        """Look at the running containers that were not looked at lately, and act on each as soon as it was judged. One
        that cannot be looked at, or not be ended, is tried again after the others.
        """
        now, monotonic = self._world.clock.now(), self._world.clock.monotonic()
        seen = {each.id: each for each in await self._world.engine.list() if each.running}
        self._looked = {key: at for key, at in self._looked.items() if key in seen and monotonic - at < AGAIN_SECONDS}
        self._told = {key: why for key, why in self._told.items() if key in seen}
        self._tried = {key: at for key, at in self._tried.items() if key in seen}
        self._given = {key: had for key, had in self._given.items() if key in seen}
        self._silent = {key: at for key, at in self._silent.items() if key in seen}
        self._told_silent &= self._silent.keys()
        await self._forget()
        due = [each.id for each in seen.values() if each.id not in self._looked and not _young(each, now)]
        due.sort(key=lambda container: self._tried.get(container, -inf))
        looks = [(container, partial(self.look, container)) for container in due[:AT_ONCE]]
        down = [(container, partial(self._keep_down, container)) for container in self._restless]
        raise_first(await self._apart.settle([*looks, *down]))

    async def close(self) -> None:
        """ds01d stops: what does not answer is not waited for."""
        await self._apart.close()

    async def _forget(self) -> None:
        """The looks that another limits file made worthless, and those at what was given and is not any more: that is
        looked at before all others.
        """
        for container in await self._lost():
            self._looked.pop(container, None)
            self._tried.pop(container, None)
        settings = self._world.settings()
        if settings is not self._settings:
            self._settings = settings
            self._looked.clear()

    async def _lost(self) -> tuple[ContainerId, ...]:
        """Those that were fine at their last look, and have more than a limit of their owner gives now."""
        had = {container: each for container, each in self._given.items() if container in self._looked}
        if not had:
            return ()
        owners = {(each.uid, Door.DOCKER) for each in had.values()}
        limits = await asyncio.to_thread(of_everybody, self._world, owners)
        found = {container: limits.get((each.uid, Door.DOCKER.value)) for container, each in had.items()}
        return tuple(key for key, owner in found.items() if owner and given.still(had[key], owner[1]) != had[key])

    async def heard(self, event: EngineEvent) -> None:
        """The engine says that a container started or was altered. What the ledger knows and starts was looked at when
        it was made, and is looked at again in a moment.
        """
        container = ContainerId(event.id)
        known = await self._world.ledger.read(lambda books: books.container(container))
        self._looked.pop(container, None)
        if event.action == "update" or known is None:
            await self.look(container)

    async def look(self, container: ContainerId) -> None:
        """Judge one container now, and act. Who is at work on it now is looked at next time."""
        self._tried[container] = self._world.clock.monotonic()
        act: _Act | None = None
        try:
            act = await self._judged(container)
            if act is None:
                return
            await act()
        except Ds01Error as error:
            if error.kind is SILENT:
                await self._tell_silent(container, acting=act is not None)
            if error.kind is not BUSY:
                raise
            return
        self._looked[container] = self._world.clock.monotonic()
        self._silent.pop(container, None)

    async def _judged(self, container: ContainerId) -> _Act | None:
        world = self._world
        known = await world.ledger.read(lambda books: books.container(container))
        seen = await world.engine.inspect(container, seconds=LOOK_SECONDS)
        if seen is None or seen.confinement is None or not seen.running:
            return None
        if known is None and self._being_made(seen):
            return None
        if known is None and await _claims(world, seen):
            return await self._claiming(seen, seen.confinement)
        if known is None:
            return await self._outside(seen, seen.confinement)
        if known.state not in (ContainerState.REMOVED, ContainerState.QUARANTINED):
            return await self._own(known, seen, seen.confinement)
        return _nothing

    async def _own(self, container: Container, seen: Observed, found: Confinement) -> _Act:
        world = self._world
        user = await asyncio.to_thread(world.directory.by_uid, container.uid)
        if user is None:
            return _nothing
        if had := given.asked(user.uid, found):
            self._given[container.id] = had
        judged = judge_own(
            container, found, await _room(world, user, seen, found), _now(world, user, container), granted(seen)
        )
        return partial(self._remedied, container, judged, found)

    async def _remedied(self, container: Container, judged: Judgement, found: Confinement) -> None:
        if judged.remedy is Remedy.PUT_BACK:
            judged = await _put_back(self._world, container, judged)
        if judged.remedy is Remedy.STOP:
            self._mark(container.id, found)
            await _end(self._world, container, judged)
            await self._keep_down(container.id)

    def _being_made(self, seen: Observed) -> bool:
        uid = owner(seen)
        return uid is not None and self._world.locks.busy(uid, seen.labels.get(Label.NAME, ""))

    async def _claiming(self, seen: Observed, found: Confinement) -> _Act:
        judged = await _judged_claim(self._world, seen, found)
        return partial(self._stop_nobodys, seen, found, judged) if judged.remedy is Remedy.STOP else _nothing

    async def _outside(self, seen: Observed, found: Confinement) -> _Act:
        world, docker = self._world, self._world.settings().docker
        judged = judge_outside(
            seen, found, rule=docker.outside_rule, allowed=docker.outside_allowed, slice_=await admin_slice(world)
        )  # fmt: skip
        if judged.remedy is Remedy.STOP:
            return partial(self._stop_nobodys, seen, found, judged)
        if judged.remedy is Remedy.TELL:
            known = await world.ledger.read(lambda books: books.slots())
            slots = claimed(found, await asyncio.to_thread(_names, world, known))
            if slots:
                await world.ledger.write(lambda books: keep_free(books, seen.id, slots))
            await self._tell(seen, EventType.CONTAINER_OUTSIDE, judged)
        return _nothing

    async def _stop_nobodys(self, seen: Observed, found: Confinement, judged: Judgement) -> None:
        """Told first: whatever happens then, the admin reads it."""
        _log.warning("stopping a container", extra={"container": seen.id, "named": seen.stored_name, "why": judged.why})
        await self._tell(seen, EventType.CONTAINER_QUARANTINED, judged)
        self._mark(seen.id, found)
        with self._world.copies.ended(seen.id):
            await self._world.engine.stop(seen.id, GRACE_SECONDS)
        self._told.pop(seen.id, None)
        await self._keep_down(seen.id)

    def _mark(self, container: ContainerId, found: Confinement) -> None:
        if found.restart not in ("", "no"):
            self._restless[container] = found.amounts

    async def _keep_down(self, container: ContainerId) -> None:
        """The engine does not start again what was stopped. Where it does not take that, the next round tries again."""
        amounts = self._restless.get(container)
        if amounts is None:
            return
        try:
            await self._world.engine.put_back(container, amounts, stays_down=True)
        except Ds01Error as error:
            if error.kind is not NO_CONTAINER:
                raise
        self._restless.pop(container, None)

    async def _tell_silent(self, container: ContainerId, *, acting: bool) -> None:
        """Once, until it answers again; at once where something was to be done about it."""
        now = self._world.clock.monotonic()
        since = self._silent.setdefault(container, now)
        if container in self._told_silent or not (acting or now - since >= SILENT_SECONDS):
            return
        self._told_silent.add(container)
        why = TO_BE_ENDED if acting else TO_BE_SEEN
        _log.warning("a container does not answer", extra={"container": container, "why": why})
        await self._world.ledger.write(lambda books: _silent(books, container, why, self._world.clock.now()))

    async def _tell(self, seen: Observed, kind: EventType, judged: Judgement) -> None:
        """Once, as nobody's affair: what its labels say of an owner is not believed."""
        if self._told.get(seen.id) == (kind, judged.why):
            return
        self._told[seen.id] = kind, judged.why
        event = Event(
            at=self._world.clock.now(), type=kind, actor=None, uid=None, subject=seen.id,
            details={"name": seen.stored_name, "reason": _sentence(judged.why)},
        )  # fmt: skip
        if not await self._world.ledger.read(lambda books: _written(books, event)):
            await self._world.ledger.write(lambda books: books.record(event))


def _silent(books: Books, container: ContainerId, why: str, now: datetime) -> None:
    """One that the ledger does not know is nobody's affair."""
    kind, known = EventType.CONTAINER_SILENT, books.container(container)
    if known is not None:
        tell(books, kind, known, at=now, actor=None, reason=why)
    else:
        books.record(Event(at=now, type=kind, actor=None, uid=None, subject=container,
                           details={"name": container[:12], "reason": why}))  # fmt: skip


def _young(seen: Observed, now: datetime) -> bool:
    """One that was made in times to come was made before the clock was set back."""
    return abs(now - seen.created_at) < YOUNG


async def _claims(world: World, seen: Observed) -> bool:
    image = await world.engine.image(seen.image)
    return claims(seen.labels, image.labels if image else {})


async def _judged_claim(world: World, seen: Observed, found: Confinement) -> Judgement:
    uid = owner(seen)
    user = await asyncio.to_thread(world.directory.by_uid, uid) if uid is not None else None
    ours = genuine(seen.labels, await seal_key(world))
    if user is None:
        return FINE if ours else Judgement(remedy=Remedy.STOP, why=("bears labels that DS01 did not write",))
    return judge_claiming(found, await _room(world, user, seen, found), genuine=ours)


async def _room(world: World, user: User, seen: Observed, found: Confinement) -> Room:
    wanted = set(read_slots(seen.labels))
    slots, own = await world.ledger.read(
        lambda books: ([s for s in books.slots() if s.id in wanted], {c.id for c in books.containers(user.uid)})
    )
    attached = await asyncio.to_thread(world.devices.attach, slots)
    mounted = [mount.source for mount in attached.mounts]
    folders = (world.host.place(user), str(world.paths.lib), _door(world, user, seen), *mounted)
    leased = frozenset(device.host for device in attached.devices)
    limits = effective(world.settings().policy, user, Door.DOCKER, world.clock.now())
    has = given.still(given.asked(user.uid, found), limits)
    return Room(
        slice_=user.slice, folders=folders, own=frozenset(own), nodes=leased | has.nodes, publish=has.addresses
    )  # fmt: skip


def _door(world: World, user: User, seen: Observed) -> str:
    """The socket of the account its labels name. What forged labels name does not matter: it is stopped for them."""
    epoch = seen.labels.get(Label.EPOCH, "")
    return world.paths.door_of(user.uid, int(epoch) if epoch.isdecimal() else 1)


def _now(world: World, user: User, container: Container) -> Amounts:
    limits = effective(world.settings().policy, user, container.door, world.clock.now())
    return amounts(resources(limits, world.cpus))


def _names(world: World, slots: tuple[Slot, ...]) -> Mapping[str, SlotId]:
    """Every name by which a container may be given a slot: its nodes, its UUID, what the engine calls it."""
    names: dict[str, SlotId] = {}
    for slot in slots:
        attached = world.devices.attach((slot,))
        requested = [item for request in attached.requests for item in request.ids]
        nodes = [device.host for device in attached.devices]
        names |= dict.fromkeys((slot.id, f"/dev/nvidia{slot.minor}", *requested, *nodes), slot.id)
    return names


async def admin_slice(world: World) -> str:
    guarding = await world.engine.guard()
    return await asyncio.to_thread(world.host.admin_slice, guarding.folder) if guarding else ""


async def _nothing() -> None:
    """It is fine, or nobody's to act on."""


async def _put_back(world: World, container: Container, judged: Judgement) -> Judgement:
    """What cannot be put back, because the container uses it already, is stopped. Raises Ds01Error where the engine
    did not refuse.
    """
    assert judged.amounts is not None
    try:
        await world.engine.put_back(container.id, judged.amounts, stays_down=judged.stays_down)
    except Ds01Error as error:
        if error.kind in NO_REFUSAL:
            raise
        return replace(judged, remedy=Remedy.STOP, why=(*judged.why, f"keeps it ({error.problem.reason})"))
    why = _sentence(judged.why)
    kind = EventType.CONTAINER_CORRECTED
    await world.ledger.write(lambda books: tell(books, kind, container, at=world.clock.now(), actor=None, reason=why))
    return judged


async def _end(world: World, container: Container, judged: Judgement) -> None:
    """The reason is written down first: whatever happens then, its owner reads it. Raises Ds01Error (``busy``)."""
    why = _sentence(judged.why)
    _log.warning("stopping a container", extra={"container": container.id, "why": why})
    async with world.locks.hold(container.uid, container.name, "the reconciler", patience=1):
        current = await world.ledger.read(lambda books: books.container(container.id))
        if current is None or current.state is ContainerState.REMOVED:
            return
        condemned = replace(current, reason=StopReason.QUARANTINE, reason_detail=why)
        await world.ledger.write(lambda books: books.put_container(condemned))
        await spend(world, condemned)
        with world.copies.ended(container.id):
            await world.engine.stop(container.id, GRACE_SECONDS)
        await world.ledger.write(lambda books: _ended(books, condemned, why, world.clock.now()))


def _ended(books: Books, container: Container, why: str, now: datetime) -> None:
    """Out of service, and its GPU is free at once, also one of a start that was written down meanwhile."""
    current = books.container(container.id) or container
    stopped = record_stop(
        books, current, at=now, now=now, reason=StopReason.QUARANTINE, detail=why, hold=timedelta(0), actor=None
    )  # fmt: skip
    books.put_container(replace(stopped, state=ContainerState.QUARANTINED, lease=None))
    tell(books, EventType.CONTAINER_QUARANTINED, stopped, at=now, actor=None, reason=why)


def _sentence(why: tuple[str, ...]) -> str:
    return f"it {', '.join(why)}"


def _written(books: Books, event: Event) -> bool:
    """Whether ds01d told it before it was started again; a stop is told each time."""
    if event.type is EventType.CONTAINER_QUARANTINED:
        return False
    before = books.events(subject=event.subject)
    return any(each.type is event.type and each.details == event.details for each in before)
