"""A container gets another name through the Docker door: in the engine, in the ledger and on its lease, or nowhere."""

from __future__ import annotations

import asyncio

import pytest

from ds01.domain.container import Container
from ds01.domain.errors import LEDGER_ERROR, Ds01Error
from ds01.domain.names import stored_container
from ds01.services.door.change import rename
from ds01.services.door.start import start
from ds01.services.stop import stop
from ds01.sim.ledger import MemoryLedger
from ds01.wire.door import DoorRename, DoorStart
from tests.server import ALICE, SimServer


def renames(container: Container, name: str) -> DoorRename:
    return DoorRename(uid=ALICE.uid, id=container.id, name=name)


async def called(server: SimServer, container: Container) -> str:
    seen = await server.engine.inspect(container.id)
    assert seen is not None
    return seen.stored_name


async def test_its_lease_is_renamed_with_it(server: SimServer) -> None:
    container = await server.launch()
    await rename(server.world, renames(container, "final"))
    assert await called(server, container) == stored_container("final", ALICE.uid)
    assert [lease.name for lease in await server.leases()] == ["final"]


async def test_a_lease_that_was_promised_for_a_start_is_renamed_too(server: SimServer) -> None:
    container = await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    await server.expire(20)
    await start(server.world, DoorStart(uid=ALICE.uid, id=container.id))
    await rename(server.world, renames(container, "final"))
    (lease,) = await server.leases()
    assert (lease.name, lease.container) == ("final", None)
    await server.engine.start(container.id)
    await server.reconciler.look(container.id)
    assert [(one.id, one.container) for one in await server.leases()] == [(lease.id, container.id)]


async def test_what_cannot_be_written_down_is_not_renamed(server: SimServer) -> None:
    container = await server.launch()
    assert isinstance(server.ledger, MemoryLedger)
    server.ledger.fault = Ds01Error(LEDGER_ERROR, "The server's disk is full.")
    with pytest.raises(Ds01Error):
        await rename(server.world, renames(container, "final"))
    assert await called(server, container) == stored_container("thesis", ALICE.uid)


async def test_two_that_swap_names_do_not_wait_for_each_other(server: SimServer) -> None:
    """Both are refused, whatever else goes on under one of the names."""
    one, other = await server.launch(project="a"), await server.launch(project="b")
    async with server.world.locks.hold(ALICE.uid, "b", "another command"):
        swaps = [asyncio.create_task(rename(server.world, renames(other, "a")))]
        await asyncio.sleep(0.2)
        swaps.append(asyncio.create_task(rename(server.world, renames(one, "b"))))
        await asyncio.sleep(0.2)
    async with asyncio.timeout(60):
        results = await asyncio.gather(*swaps, return_exceptions=True)
    assert [error.problem.kind.code for error in results if isinstance(error, Ds01Error)] == ["name.taken"] * 2


async def test_two_renames_at_once_leave_the_engine_and_the_ledger_at_one(server: SimServer) -> None:
    container = await server.launch()
    done = await asyncio.gather(
        *(rename(server.world, renames(container, name)) for name in ("b", "c")), return_exceptions=True
    )
    known = await server.world.ledger.read(lambda books: books.container(container.id))
    assert known is not None
    assert await called(server, container) == stored_container(known.name, ALICE.uid)
    assert [error.problem.kind.code for error in done if isinstance(error, Ds01Error)] in ([], ["container.busy"])
