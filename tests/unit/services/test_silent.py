"""A container about which the engine answers nothing: it keeps nobody waiting, hides no other, and is not forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from ds01.daemon.loops import Loops
from ds01.domain.container import Container, ContainerState, StopReason
from ds01.domain.errors import ENGINE_DOWN, SILENT, Ds01Error
from ds01.domain.labels import Label
from ds01.domain.people import Uid
from ds01.domain.volume import Volume
from ds01.ports.engine import LOOK_SECONDS
from ds01.services.apart import MOST_HEARD, Heard, Rounds
from ds01.services.confine import SILENT_SECONDS, TO_BE_ENDED, TO_BE_SEEN, Confiner
from ds01.services.reconcile import BOOT, Reconciler
from ds01.sim.clock import SimClock
from ds01.sim.engine_store import away, silent
from tests.server import BOB, SimServer
from tests.unit.services.test_reconciling import is_stopped, listening
from tests.values import container as container_named

STEP = 0.25
QUIET_SECONDS = 0.5
"""Of real time: what has not ended then waits for the clock."""


@pytest.fixture
def confiner(server: SimServer) -> Confiner:
    return Confiner(server.world)


async def round_of(
    server: SimServer, work: Coroutine[Any, Any, None], step: float = STEP
) -> tuple[float, Ds01Error | None]:
    """How long it took, and what it raised."""
    begun, task = server.clock.monotonic(), asyncio.create_task(work)
    while not task.done():
        await asyncio.wait({task}, timeout=QUIET_SECONDS)
        if not task.done():
            await server.clock.advance(step)
    error = task.exception()
    assert error is None or isinstance(error, Ds01Error)
    return server.clock.monotonic() - begun, error


async def pass_by(server: SimServer, seconds: float) -> None:
    """Time in which what was begun goes on."""
    for _ in range(round(seconds / STEP)):
        await server.clock.advance(STEP)
        await asyncio.sleep(0.001)


async def ended(server: SimServer, made: Container) -> None:
    """Wait until it does not run."""
    async with asyncio.timeout(60):
        while await runs(server, made):
            await asyncio.sleep(0.01)


async def unwalled(server: SimServer, made: Container) -> None:
    """It is not as DS01 made it."""
    seen = await server.engine.inspect(made.id)
    assert seen is not None
    assert seen.confinement is not None
    server.engine.alter(made.id, replace(seen.confinement, privileged=True))


async def is_in(server: SimServer, state: ContainerState) -> Container:
    """Wait until the ledger says so."""
    async with asyncio.timeout(60):
        while (found := await server.container()) is None or found.state is not state:
            await asyncio.sleep(0.01)
    return found


async def runs(server: SimServer, made: Container) -> bool:
    return any(each.running for each in await server.engine.list() if each.id == made.id)


async def said(server: SimServer, made: Container) -> list[str]:
    found = await server.world.ledger.read(lambda books: books.events(subject=made.id))
    return [event.details["reason"] for event in found if event.type == "container.silent"]


async def test_e31_others_are_stopped_in_time_and_it_is_told_once_and_stopped_when_it_answers(
    server: SimServer, confiner: Confiner
) -> None:
    quiet, other = await server.launch(), await server.launch(BOB)
    for made in (quiet, other):
        await unwalled(server, made)
    server.engine.faults.silent = (server.engine.spec(quiet.id).name,)
    await server.clock.advance(10)
    took, _ = await round_of(server, confiner.round())
    assert took <= 1.5
    assert not await runs(server, other)
    assert await said(server, quiet) == [], "files are copied in a minute"
    for _ in range(30):
        await pass_by(server, 4)
        took, error = await round_of(server, confiner.round())
        assert took == 0, "nobody waits for it again"
        assert error is None or error.kind is SILENT
    assert await said(server, quiet) == [TO_BE_SEEN]
    server.engine.faults.silent = ()
    await pass_by(server, SILENT_SECONDS)
    await round_of(server, confiner.round())
    await ended(server, quiet)
    await is_in(server, ContainerState.QUARANTINED)
    await confiner.close()


async def test_e31_one_that_cannot_be_stopped_is_told_at_once_and_tried_again(
    server: SimServer, confiner: Confiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await server.launch()
    await unwalled(server, made)

    async def stop(*_: object) -> None:
        raise silent()

    await server.clock.advance(10)
    with monkeypatch.context() as patched:
        patched.setattr(server.engine, "stop", stop)
        for _ in range(3):
            _, error = await round_of(server, confiner.round())
            assert error is not None
            assert error.kind is SILENT
    assert await said(server, made) == [TO_BE_ENDED]
    await confiner.round()
    assert not await runs(server, made)


async def test_what_became_of_others_is_written_down_and_all_else_of_a_round_is_done(server: SimServer) -> None:
    await server.reconciler.round()
    quiet, other = await server.launch(gpus="0"), await server.launch(BOB, gpus="0")
    gone = Volume(id="gone", uid=Uid(BOB.uid), epoch=1, name="gone", created_at=server.clock.now())
    await server.books(lambda books: books.put_volume(gone))
    for made in (quiet, other):
        server.engine.die(made.id, 3)
    server.engine.faults.silent = (server.engine.spec(quiet.id).name,)
    took, _ = await round_of(server, server.reconciler.round())
    assert took <= 1.5
    found = await server.container(user=BOB)
    assert found is not None
    assert found.state is ContainerState.STOPPED
    assert await server.world.ledger.read(lambda books: books.volume("gone")) is None
    server.engine.faults.silent = ()
    await pass_by(server, LOOK_SECONDS)
    await round_of(server, server.reconciler.round())
    assert (await is_in(server, ContainerState.STOPPED)).reason is StopReason.EXIT


async def test_what_was_being_made_is_not_forgotten_while_one_of_them_does_not_answer(server: SimServer) -> None:
    made = await server.launch()
    spec = server.engine.spec(made.id)
    await server.engine.remove(made.id, force=True)
    await server.engine.create(replace(spec, labels={**spec.labels, Label.NAME: "thesis"}))
    server.engine.faults.silent = (spec.name,)
    reconciler = Reconciler(server.another_world())
    _, error = await round_of(server, reconciler.round(), step=2)
    assert error is not None
    assert error.kind is SILENT
    assert await server.world.ledger.read(lambda books: books.note(BOOT)) is None
    server.engine.faults.silent = ()
    _, error = await round_of(server, reconciler.round())
    assert error is None
    assert await server.world.ledger.read(lambda books: books.note(BOOT)) is not None


async def test_what_is_heard_of_one_delays_nothing_that_is_heard_of_others(server: SimServer) -> None:
    quiet, other = [await server.launch(project=name, gpus="0") for name in ("quiet", "other")]
    async with Loops(server.world):
        await listening(server)
        server.engine.faults.silent = (server.engine.spec(quiet.id).name,)
        server.engine.die(quiet.id, 1)
        server.engine.die(other.id, 1)
        hearing = asyncio.create_task(is_stopped(server, "other"))
        await asyncio.sleep(0.05)
        await pass_by(server, 1)
        await hearing


async def test_steps_of_one_are_taken_in_their_order_and_no_more_are_kept_than_is_worth_it() -> None:
    clock, done, go = SimClock(), list[int](), asyncio.Event()
    heard, one = Heard(clock), container_named("one").id

    async def step(number: int) -> None:
        await go.wait()
        done.append(number)

    first = asyncio.create_task(heard.take(one, lambda: step(0)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await clock.advance(1)
    assert await first == []
    for number in range(1, 2 * MOST_HEARD):
        assert await heard.take(one, lambda number=number: step(number)) == []  # type: ignore[misc]
    go.set()
    while len(done) < MOST_HEARD + 1:
        await asyncio.sleep(0)
    assert done == list(range(MOST_HEARD + 1))
    await heard.close()


async def test_what_failed_is_the_next_answer_and_without_the_engine_there_is_none() -> None:
    clock, one = SimClock(), container_named("one").id
    rounds, heard = Rounds(clock), Heard(clock)

    async def fails() -> None:
        raise silent()

    async def no_engine() -> None:
        raise away()

    assert [getattr(error, "kind", None) for error in await rounds.settle([(one, fails)])] == [SILENT]
    assert [getattr(error, "kind", None) for error in await heard.take(one, fails)] == [SILENT]
    with pytest.raises(Ds01Error) as caught:
        await rounds.settle([(one, no_engine)])
    assert caught.value.kind is ENGINE_DOWN
    assert await rounds.settle([]) == await heard.take(one, _fine) == []


async def test_the_end_ends_what_goes_on() -> None:
    clock, ended = SimClock(), list[str]()
    rounds, one = Rounds(clock), container_named("one").id

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("taken back")

    going = asyncio.create_task(rounds.settle([(one, endless)]))
    while not rounds.goes_on(one):
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    await clock.advance(2)
    assert await going == []
    await rounds.close()
    assert ended == ["taken back"]


async def _fine() -> None:
    """Nothing goes wrong."""
