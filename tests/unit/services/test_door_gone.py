"""What a kill and a removal through the Docker door leave in the ledger: why a container ended stays true."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from ds01.domain.container import Container, ContainerId, ContainerState, Observed, StopReason
from ds01.domain.errors import NO_CONTAINER, SILENT, Ds01Error
from ds01.ports.ledger import Books
from ds01.services.door.gone import ENDS_SECONDS, gone
from ds01.services.ending import record_removal
from ds01.services.why import why
from ds01.sim.ledger import MemoryLedger
from ds01.wire.door import DoorGone, GoneBy
from tests.server import ALICE, SimServer

T = TypeVar("T")


def killed(container: Container, signal: str = "", what: GoneBy = GoneBy.KILL) -> DoorGone:
    return DoorGone(uid=ALICE.uid, id=container.id, what=what, signal=signal)


async def ended(server: SimServer, container: Container, code: int, *, oom: bool = False) -> Container:
    server.engine.die(container.id, code, oom=oom)
    await server.reconciler.look(container.id)
    found = await server.container()
    assert found is not None
    return found


@pytest.mark.parametrize("signal", ["USR1", "SIGUSR1", "10", "WINCH"])
async def test_a_signal_that_ends_nothing_is_no_reason(server: SimServer, signal: str) -> None:
    """E6: a checkpoint was asked for with USR1; hours later the program ended by itself."""
    container = await server.launch()
    await gone(server.world, killed(container, signal))
    found = await ended(server, container, 3)
    assert (found.reason, found.reason_detail) == (StopReason.EXIT, "3")


async def test_a_signal_that_ends_nothing_does_not_hide_that_memory_ran_out(server: SimServer) -> None:
    container = await server.launch()
    await gone(server.world, killed(container, "USR1"))
    assert (await ended(server, container, 137, oom=True)).reason is StopReason.OOM


async def test_one_that_does_not_answer_is_not_waited_for(server: SimServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its own stop signal is to be looked up, and only while it runs."""
    container = await server.launch()
    server.engine.faults.silent = (server.engine.spec(container.id).name,)
    patience, inspect = list[float](), server.engine.inspect

    async def watched(id_: ContainerId, *, seconds: float) -> Observed | None:
        patience.append(seconds)
        return await inspect(id_, seconds=seconds)

    monkeypatch.setattr(server.engine, "inspect", watched)
    asked = asyncio.create_task(gone(server.world, killed(container, "USR1")))
    while not asked.done():
        await asyncio.sleep(0.001)
        await server.clock.advance(1)
    error = asked.exception()
    assert isinstance(error, Ds01Error)
    assert error.kind is SILENT
    await server.books(lambda books: books.put_container(replace(container, state=ContainerState.STOPPED)))
    await gone(server.world, killed(container, "USR1"))
    assert patience == [ENDS_SECONDS]


@pytest.mark.parametrize("signal", ["", "KILL", "TERM", "15"])
async def test_a_kill_is_its_owners(server: SimServer, signal: str) -> None:
    container = await server.launch()
    await gone(server.world, killed(container, signal))
    assert (await ended(server, container, 137)).reason is StopReason.USER


async def test_e6_the_story_of_a_stop_through_docker_names_its_owner(server: SimServer) -> None:
    container = await server.launch()
    await gone(server.world, DoorGone(uid=ALICE.uid, id=container.id, what=GoneBy.STOP))
    await ended(server, container, 143)
    story = await why(server.ledger, uid=ALICE.uid, epoch=container.epoch, name="thesis", viewer=ALICE.uid)
    assert story.summary.startswith("thesis was stopped by you at ")
    assert (story.entries[-1].what, story.door) == ("thesis was stopped by you.", "ds01")


async def test_e6_a_stop_through_docker_that_removes_it_is_her_doing_too(server: SimServer) -> None:
    container = await server.launch()
    server.engine.goes_with_its_end(container.id)
    await gone(server.world, DoorGone(uid=ALICE.uid, id=container.id, what=GoneBy.STOP))
    server.engine.die(container.id, 143)
    await server.reconciler.look(container.id)
    story = await why(server.ledger, uid=ALICE.uid, epoch=container.epoch, name="thesis", viewer=ALICE.uid)
    told = [entry.what for entry in story.entries[-3:]]
    assert told == [
        "GPU 0 of thesis went back (its container was removed).",
        "thesis was stopped by you.",
        "you removed thesis.",
    ]


async def test_the_containers_own_stop_signal_is_meant_to_end_it(server: SimServer) -> None:
    container = await server.launch()
    server.engine.stops_by(container.id, "SIGUSR1")
    await gone(server.world, killed(container, "10"))
    assert (await ended(server, container, 0)).reason is StopReason.USER


@pytest.mark.parametrize("what", [GoneBy.KILL, GoneBy.STOP, GoneBy.REMOVED])
async def test_i6_what_a_former_owner_of_the_uid_left_is_not_hers(server: SimServer, what: GoneBy) -> None:
    container = await server.launch()
    former = replace(container, epoch=container.epoch - 1)
    await server.books(lambda books: books.put_container(former))
    await server.engine.remove(container.id, force=True)
    with pytest.raises(Ds01Error) as refused:
        await gone(server.world, killed(container, what=what))
    assert refused.value.kind is NO_CONTAINER
    assert await server.world.ledger.read(lambda books: books.container(container.id)) == former


class Crowded(MemoryLedger):
    """A ledger in which somebody else is quicker: ``quicker`` is written before the next write is."""

    quicker: Callable[[Books], object] | None = None

    async def write(self, work: Callable[[Books], T]) -> T:
        quicker, self.quicker = self.quicker, None
        if quicker is not None:
            await super().write(quicker)
        return await super().write(work)


@pytest.mark.parametrize("what", [GoneBy.KILL, GoneBy.STOP])
async def test_who_was_quicker_is_not_written_over(tmp_path: Path, what: GoneBy) -> None:
    """She removes it and kills it at once: what is removed stays removed."""
    ledger = Crowded()
    server = await SimServer(run=tmp_path, ledger=ledger).open()
    container = await server.launch()
    ledger.quicker = lambda books: record_removal(books, container, now=server.clock.now(), actor=ALICE.uid)
    await gone(server.world, killed(container, what=what))
    found = await ledger.read(lambda books: books.container(container.id))
    assert found is not None
    assert found.state is ContainerState.REMOVED
    assert ledger.quicker is None
