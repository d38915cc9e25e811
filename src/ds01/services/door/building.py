"""A build through the Docker door: which tags it may write, what it may use, and whose the result is."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ds01.domain.assembly import at_most, resources
from ds01.domain.dockerpolicy.tags import reference
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.errors import NOT_ALLOWED, Ds01Error
from ds01.domain.names import step_host
from ds01.ports.host import StepPermit
from ds01.services import build_cache, holes, networks
from ds01.services.caller import Caller, identify
from ds01.services.disk import check_any_room, check_number
from ds01.services.door.giving_way import made_by
from ds01.services.door.going_on import check_heard, held
from ds01.services.door.meaning import meant
from ds01.services.door.pinning import loosen, pin
from ds01.services.door.weighing import drop_heavy
from ds01.services.door.writing import put_off, record, reserve
from ds01.services.image_records import refused
from ds01.services.seal import image_labels
from ds01.services.tickets import Names
from ds01.services.world import World
from ds01.wire.door import DoorBuild, DoorBuildGrant, DoorEngine, DoorImage, DoorTicket, Writing

PERIOD_US = 100_000


async def grant(world: World, ask: DoorBuild) -> DoorBuildGrant:
    """Reserve the tags. Raises Ds01Error when one of them is not hers to write."""
    caller = await identify(world, ask.uid)
    if caller.uid == 0:
        raise Ds01Error(NOT_ALLOWED, "root does not build images here.", hint="Use an ordinary account")
    await check_any_room(world, caller)
    await check_number(world, caller, more=max(1, len(ask.refs)))
    await holes.check(world, caller)
    refs = frozenset(_reference(ref) for ref in ask.refs)
    names = await reserve(world, caller, refs)
    try:
        return await _granted(world, caller, names, ask)
    except BaseException:
        async with world.tickets.turn(caller.uid):
            await _given_up(world, names.id)
        raise


async def _granted(world: World, caller: Caller, names: Names, ask: DoorBuild) -> DoorBuildGrant:
    guard = await _guard(world) if ask.buildkit else ""
    parent = await asyncio.to_thread(world.host.ensure_slice, caller.user, caller.limits.together)
    await networks.own(world, caller)
    most = resources(caller.limits, world.cpus)
    if guard:
        permit = StepPermit(
            parent=parent, memory_bytes=most.memory_bytes, swap_bytes=most.swap_bytes, cpu_period_us=PERIOD_US,
            cpu_quota_us=int(most.cpus * PERIOD_US), pids=most.pids,
        )  # fmt: skip
        await asyncio.to_thread(world.host.permit_steps, guard, caller.user, permit)
        world.tickets.pin(names, ())
        await build_cache.begun(world, caller)
    images = await pin(world, caller, names) if guard else {}
    return DoorBuildGrant(
        ticket=names.id,
        labels=await image_labels(world, caller),
        cgroup_parent=caller.user.build_slice(parent),
        network=caller.user.network,
        cpu_period_us=PERIOD_US,
        cpu_quota_us=int(most.cpus * PERIOD_US),
        memory_bytes=at_most(ask.memory_bytes, most.memory_bytes),
        swap_bytes=most.swap_bytes,
        shm_bytes=most.shm_bytes,
        step_host=step_host(caller.uid) if ask.buildkit else "",
        names=dict(names.own),
        images=images,
        held=held(world.tickets.known(names)),
    )


async def _given_up(world: World, ticket: str) -> None:
    """It could not begin. What cannot be taken back now is taken back later."""
    building = world.tickets.written(ticket)
    if building is None:
        return
    try:
        building = await build_cache.ended(world, building)
        await loosen(world, building)
    except Ds01Error as error:
        put_off(world, building, error)


async def engine(world: World) -> DoorEngine:
    """What the engine can do for users."""
    return DoorEngine(
        buildkit=bool(await world.facts.step_guard(world.paths.engine.removeprefix("unix://"))),
        gpus=await world.ledger.read(lambda books: bool(books.slots())),
    )


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
    """Record the tags that were written: those that name an image of this user's making now. What an engine that is
    away cannot say is looked at again a little later. Raises Ds01Error also where the ledger cannot write: then it is
    not over.
    """
    check_heard(world)
    async with world.tickets.turn(world.tickets.writer(ask.ticket)):
        building = world.tickets.written(ask.ticket)
        if building is None:
            return ()
        try:
            building = await build_cache.ended(world, building)
            await loosen(world, building)
            return await _recorded(world, building)
        except Ds01Error as error:
            put_off(world, building, error)
            return ()


async def _recorded(world: World, building: Names) -> tuple[DoorImage, ...]:
    heavy = await drop_heavy(world, building, ())
    found = await meant(world, building.refs)
    made = frozenset(ref for ref, image in found.items() if image and made_by(world, image, building.caller, ref))
    recorded = await record(world, replace(building, refs=made), Writing.BUILD, (), done=True)
    if heavy is not None:
        raise heavy
    return recorded


def _reference(text: str) -> str:
    try:
        return reference(text)
    except RefusedError as error:
        raise refused(error) from error
