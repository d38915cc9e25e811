"""A build through the Docker door: which tags it may write, what it may use, and whose the result is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ds01.domain.assembly import resources
from ds01.domain.container import Label
from ds01.domain.dockerpolicy.tags import check_writable, reference
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.errors import BAD_NAME, NAME_TAKEN, NOT_ALLOWED, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.image import Image, Tag
from ds01.domain.names import step_host
from ds01.ports.host import StepPermit
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, identify
from ds01.services.door.known import image_shown
from ds01.services.tickets import Building
from ds01.services.world import World
from ds01.wire.door import DoorBuild, DoorBuildGrant, DoorEngine, DoorImage, DoorTicket

PERIOD_US = 100_000
_KINDS = {400: BAD_NAME, 403: NOT_ALLOWED, 409: NAME_TAKEN}


async def grant(world: World, ask: DoorBuild) -> DoorBuildGrant:
    """Reserve the tags. Raises Ds01Error when one of them is not hers to write."""
    caller = await identify(world, ask.uid)
    if caller.uid == 0:
        raise Ds01Error(NOT_ALLOWED, "root does not build images here.", hint="Use an ordinary account")
    refs = frozenset(_reference(ref) for ref in ask.refs)
    there = {ref for ref in refs if await world.engine.image(ref) is not None}
    await world.ledger.read(lambda books: _check_all(world, books, caller, refs, there))
    guard = await _guard(world) if ask.buildkit else ""
    parent = await asyncio.to_thread(world.host.ensure_slice, caller.user, caller.limits.together)
    await world.engine.ensure_network(caller.user.network, {Label.OWNER: str(caller.uid)})
    most = resources(caller.limits, world.cpus)
    if guard:
        permit = StepPermit(
            parent=parent, memory_bytes=most.memory_bytes, swap_bytes=most.swap_bytes, cpu_period_us=PERIOD_US,
            cpu_quota_us=int(most.cpus * PERIOD_US), pids=most.pids,
        )  # fmt: skip
        await asyncio.to_thread(world.host.permit_steps, guard, caller.user, permit)
    building = world.tickets.build(caller, refs, world.clock.now())
    return DoorBuildGrant(
        ticket=building.id,
        labels={Label.OWNER: str(caller.uid), Label.EPOCH: str(caller.epoch)},
        cgroup_parent=parent,
        network=caller.user.network,
        cpu_period_us=PERIOD_US,
        cpu_quota_us=int(most.cpus * PERIOD_US),
        memory_bytes=min(ask.memory_bytes or most.memory_bytes, most.memory_bytes),
        swap_bytes=most.swap_bytes,
        shm_bytes=most.shm_bytes,
        step_host=step_host(caller.uid) if ask.buildkit else "",
    )


async def engine(world: World) -> DoorEngine:
    """What the engine can do for users."""
    return DoorEngine(buildkit=bool(await world.facts.step_guard(world.paths.engine.removeprefix("unix://"))))


async def _guard(world: World) -> str:
    found = await world.facts.step_guard(world.paths.engine.removeprefix("unix://"))
    if not found:
        raise Ds01Error(
            NOT_ALLOWED, "BuildKit cannot be used on this server yet.",
            reason="Nothing stands guard over the steps of its builds.",
            hint="Build with DOCKER_BUILDKIT=0 in front of the command; your admin can change it",
        )  # fmt: skip
    return found


async def over(world: World, ask: DoorTicket) -> tuple[DoorImage, ...]:
    """Record the tags that were written: those that name an image of this user's making now."""
    building = world.tickets.built(ask.ticket)
    if building is None:
        return ()
    found = [(ref, await world.engine.image(ref)) for ref in sorted(building.refs)]
    written = [(ref, image) for ref, image in found if image is not None and _made_by(image, building.caller)]
    return await world.ledger.write(lambda books: _record(world, books, building, written))


def _made_by(image: Image, caller: Caller) -> bool:
    """The gateway labels every build with its owner, over whatever the Dockerfile says."""
    owner = (image.labels.get(Label.OWNER), image.labels.get(Label.EPOCH))
    return owner == (str(caller.uid), str(caller.epoch))


def _record(
    world: World, books: Books, building: Building, written: Iterable[tuple[str, Image]]
) -> tuple[DoorImage, ...]:
    caller = building.caller
    shown = []
    for ref, image in written:
        known = books.tag(ref)
        if known is None or known.image != image.id or known.owner != caller.uid:
            books.put_tag(Tag(ref=ref, image=image.id, provenance="user", owner=caller.uid))
            books.record(
                Event(
                    at=world.clock.now(), type=EventType.IMAGE_BUILT, actor=caller.actor, uid=caller.uid, subject=ref,
                    details={"image": image.id},
                )
            )  # fmt: skip
        shown.append(image_shown(world, books, image))
    return tuple(shown)


def _reference(text: str) -> str:
    try:
        return reference(text)
    except RefusedError as error:
        raise Ds01Error(_KINDS[error.status], f"{error.what}.", reason=error.advice) from error


def _check_all(world: World, books: Books, caller: Caller, refs: Iterable[str], there: set[str]) -> None:
    for ref in sorted(refs):
        _check(world, books, caller, ref, exists=ref in there)


def _check(world: World, books: Books, caller: Caller, ref: str, *, exists: bool) -> None:
    tag = books.tag(ref)
    owner = tag.owner if tag is not None else world.tickets.writing(ref, world.clock.now())
    try:
        check_writable(ref, caller.uid, owner, exists=exists, protected=world.settings().images.protected)
    except RefusedError as error:
        raise Ds01Error(_KINDS[error.status], f"{error.what}.", reason=error.advice) from error
