"""The one idempotent verb: whatever exists, afterwards the container runs.

``plan`` says what would happen and changes nothing. ``launch`` decides again under the container's lock and does it.
Building is not done here: the user builds, through the gateway, before she launches.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from ds01.domain.assembly import Order
from ds01.domain.container import Container
from ds01.domain.errors import BAD_REQUEST, GPU_FULL, NO_IMAGE, NOT_YET, Ds01Error
from ds01.domain.gpu_ask import GpuAsk, ask
from ds01.domain.image import Image
from ds01.domain.launch import Action, Decision, Situation, check_workspace, decide
from ds01.domain.names import checked, image_reference
from ds01.domain.quantity import ordinal
from ds01.domain.queue.request import RequestState
from ds01.ports.ledger import Books
from ds01.services.anew import make_anew
from ds01.services.booking.seat import class_of
from ds01.services.bounds import check_size
from ds01.services.caller import Caller
from ds01.services.create import Wanted, create
from ds01.services.denied import denials
from ds01.services.images import resolve
from ds01.services.moments import lasting
from ds01.services.pause import unpause_held
from ds01.services.picture import limits_of, picture
from ds01.services.queue.give_up import find
from ds01.services.queue.grant import check
from ds01.services.queue.join import planned
from ds01.services.queue.place import place
from ds01.services.queue.wait import Patience, hung_up, wait_for_turn
from ds01.services.start import begin
from ds01.services.steps import Abandoned, Steps
from ds01.services.world import World
from ds01.wire.codec import parse, plain
from ds01.wire.launches import LaunchPlan, LaunchRequest


@dataclass(frozen=True, kw_only=True)
class _Launch:
    """A launch, resolved: what is asked for, what exists, and what follows."""

    name: str
    reference: str
    ask: GpuAsk
    image: Image | None
    container: Container | None
    decision: Decision
    planned: timedelta | None


class MoreToDo(Exception):  # noqa: N818
    """Only a new container was wanted, and there is more to it than that: nothing was done."""

    def __init__(self, plan: LaunchPlan) -> None:
        super().__init__(plan.action)
        self.plan = plan


async def plan(world: World, caller: Caller, request: LaunchRequest) -> LaunchPlan:
    """What a launch would do now. Raises what no wait would mend, before an image is built for it."""
    return await _plan(world, caller, await _resolve(world, caller, request))


async def _plan(world: World, caller: Caller, found: _Launch) -> LaunchPlan:
    container = found.container
    if found.decision.action.creates:
        await world.ledger.read(lambda books: _check_possible(books, world, caller, found))
    view = None
    if container is not None:
        limits = await limits_of(world, [container])
        view = await world.ledger.read(
            lambda books: picture(books, [container], limits=limits).view(container, caller.uid)
        )
    return LaunchPlan(
        action=found.decision.action.value,
        name=found.name,
        image=found.reference,
        build=found.decision.build,
        missing=found.image is None,
        stale=found.decision.stale,
        gpus=_gpus_text(found),
        container=view,
        steps=_steps(found),
    )


async def launch(world: World, caller: Caller, request: LaunchRequest, steps: Steps) -> Container:
    """Make it run; wait for GPUs first if that was asked for. Everything is as before when that fails. Raises MoreToDo
    where only a new container was wanted.
    """
    name = checked(request.name or request.project, "container name")
    async with denials(world, caller, name):
        while True:
            try:
                async with world.locks.hold(caller.uid, name, "launch"):
                    return await _launch(world, caller, request, steps)
            except Ds01Error as error:
                if error.kind is not GPU_FULL or not request.wait:
                    raise
            except Abandoned:
                if request.wait and not request.stays:
                    await hung_up(world, caller, name)
                raise
            await _wait(world, caller, request, steps)


async def _launch(world: World, caller: Caller, request: LaunchRequest, steps: Steps) -> Container:
    found = await _resolve(world, caller, request)
    container = found.container
    if request.if_new and (found.decision.action is not Action.CREATE or found.decision.build):
        raise MoreToDo(await _plan(world, caller, found))
    match found.decision.action:
        case Action.CREATE:
            async with _in_turn(world, caller, found.name, steps):
                return await create(world, caller, _wanted(request, found), steps)
        case Action.RECREATE if container is not None:
            _image(found)
            await world.ledger.read(lambda books: _check_gpus(books, world, caller, found, container))
            return await make_anew(world, caller, container, _wanted(request, found), steps)
        case Action.UNPAUSE if container is not None:
            async with steps.step("unpause", "Letting it go on"):
                return await unpause_held(world, caller, container)
        case Action.START if container is not None:
            return (await begin(world, caller, container, steps)).container
        case _:
            return _there(container)


@asynccontextmanager
async def _in_turn(world: World, caller: Caller, name: str, steps: Steps) -> AsyncIterator[None]:
    """Of a class only a few start at the same time."""
    now = world.clock.now()
    found = await world.ledger.read(lambda books: class_of(books, caller.uid, name, now))
    if found is None:
        yield
        return
    async with world.gate.through(found.id, world.settings().bookings.starts, steps):
        yield


async def _wait(world: World, caller: Caller, request: LaunchRequest, steps: Steps) -> None:
    """Until her turn has come. The place knows what she asked for, so that she can claim it from anywhere."""
    found = await _resolve(world, caller, request)
    ask, container = found.ask, found.container
    if found.decision.action is Action.START and container is not None:
        ask = container.gpu_ask
    patience = Patience(
        at_most=None if request.wait_seconds is None else lasting(request.wait_seconds), stays=request.stays
    )
    want = caller.wants(found.name, ask, found.planned)
    order = json.dumps(plain(replace(request, wait=False, terminal=None, if_new=False)))
    await wait_for_turn(world, caller, want, patience, steps, order=order)


async def claim(world: World, caller: Caller, name: str, steps: Steps) -> Container:
    """Take what is kept for ``name``: launch it as it was asked for. Raises Ds01Error when it is not its turn."""
    request = await world.ledger.read(lambda books: find(books, caller, name))
    if request.state is RequestState.WAITING:
        seen = await place(world, request.id)
        raise Ds01Error(
            NOT_YET, f"It is not the turn of '{name}' yet: it is {ordinal(seen.place)} of {seen.of} in the queue.",
            reason=seen.text, hint=f"ds01 why {name}",
        )  # fmt: skip
    if not request.order:
        raise Ds01Error(
            BAD_REQUEST, f"'{name}' was asked for through Docker.", reason="DS01 does not know how it is to be made.",
            hint=f"docker run --name {name} …",
        )  # fmt: skip
    return await launch(world, caller, parse(LaunchRequest, json.loads(request.order)), steps)


def _check_gpus(books: Books, world: World, caller: Caller, found: _Launch, old: Container | None) -> None:
    """The new container's GPUs can be had, before the old container goes for it."""
    want = caller.wants(found.name, found.ask, found.planned)
    check(books, world, want, world.clock.now(), old.lease if old is not None else None)


def _check_possible(books: Books, world: World, caller: Caller, found: _Launch) -> None:
    try:
        _check_gpus(books, world, caller, found, found.container)
    except Ds01Error as error:
        if error.kind is not GPU_FULL:
            raise


def _there(container: Container | None) -> Container:
    if container is None:
        raise Ds01Error(BAD_REQUEST, "There is no such container.")
    return container


async def _resolve(world: World, caller: Caller, request: LaunchRequest) -> _Launch:
    name = checked(request.name or request.project, "container name")
    check_size(request)
    if request.project:
        checked(request.project, "project name")
    reference = request.image or image_reference(caller.uid, request.project)
    own = not request.image
    wanted = await wanted_gpus(world, caller, request.gpus, request.memory_bytes)
    image = await resolve(world, caller, reference)
    container = await world.ledger.read(lambda books: _named(books, caller, name))
    decision = decide(
        Situation(
            container=container, image=image, own=own, spec=request.spec, base=request.base,
            recreate=request.recreate,
        )
    )  # fmt: skip
    found = _Launch(
        name=name, reference=reference, ask=wanted, image=image, container=container, decision=decision,
        planned=planned(caller.limits, request.time_seconds),
    )  # fmt: skip
    if not own and decision.action.creates:
        _image(found)
    if decision.action.creates:
        check_workspace(request.workspace)
    return found


def _named(books: Books, caller: Caller, name: str) -> Container | None:
    found = books.named(caller.uid, name)
    return found if found is not None and found.epoch == caller.epoch else None


async def wanted_gpus(world: World, caller: Caller, text: str | None, memory_bytes: int) -> GpuAsk:
    """What was asked for; by default one GPU for those who may have one on a server that has some."""
    if text is None:
        may = caller.limits.gpus_max != 0 and caller.limits.gpus_per_container != 0
        text = "1" if may and await world.ledger.read(lambda books: bool(books.slots())) else "0"
    try:
        return ask(text, memory_bytes)
    except ValueError as error:
        raise Ds01Error(
            BAD_REQUEST, f"--gpus {text} cannot be read.", reason=f"{error}.", hint="Use --gpus 1 or --gpus 2g.20gb"
        ) from error


def _image(found: _Launch) -> Image:
    if found.image is None:
        raise Ds01Error(
            NO_IMAGE, f"There is no image '{found.reference}' for '{found.name}'.",
            reason="It was not built yet, or it was removed.", hint="ds01 image create",
        )  # fmt: skip
    return found.image


def _wanted(request: LaunchRequest, found: _Launch) -> Wanted:
    order = Order(
        name=found.name,
        image=_image(found),
        image_ref=found.reference,
        project=request.project,
        workspace=request.workspace,
        gpus=found.ask.count,
        gpu_profile=found.ask.profile or "",
        gpu_memory_bytes=found.ask.memory_bytes,
        environment=request.environment,
        on_stop=request.on_stop,
    )
    return Wanted(order=order, ask=found.ask, data=request.data, start=not request.create_only, planned=found.planned)


def _gpus_text(found: _Launch) -> str:
    if found.container is not None and not found.decision.action.creates:
        return found.container.gpu_profile or str(found.container.gpus)
    return found.ask.profile or str(found.ask.count)


def _steps(found: _Launch) -> tuple[str, ...]:
    """What will be done, in words, for a dry run."""
    gpus = found.ask.count
    lease = ("lease a GPU",) if gpus == 1 else (f"lease {gpus} GPUs",) if gpus else ()
    build = (f"build the image: {found.decision.build}",) if found.decision.build else ()
    created = (*build, *lease, "create the container", "start it")
    match found.decision.action:
        case Action.ATTACH:
            return ()
        case Action.UNPAUSE:
            return ("unpause the container",)
        case Action.START:
            again = ("lease its GPU again",) if found.container is not None and found.container.gpus else ()
            return (*again, "start the container")
        case Action.RECREATE:
            return ("stop and remove the container", *created)
        case Action.CREATE:
            return created
