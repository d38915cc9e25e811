"""Starts through the Docker door that fail, or of which nobody knows: the GPU is neither lost nor given to two."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from ds01.domain.container import Container, ContainerState
from ds01.domain.errors import NO_CONTAINER, WRONG_STATE, Ds01Error
from ds01.domain.lease import Lease, LeaseState
from ds01.services.door.redeem import expire
from ds01.services.door.start import not_started, start, started
from ds01.services.stop import stop
from ds01.wire.door import DoorStart, DoorTicket
from tests.server import ALICE, SimServer

HOLD = timedelta(minutes=15)


async def stopped(server: SimServer, *, minutes_ago: float = 0) -> Container:
    """A container with a GPU that was stopped."""
    container = await server.launch()
    await stop(server.world, await server.caller(), "thesis")
    if minutes_ago:
        await server.expire(minutes_ago)
    return container


async def begun(server: SimServer, container: Container) -> DoorTicket:
    granted = await start(server.world, DoorStart(uid=ALICE.uid, id=container.id))
    return DoorTicket(ticket=granted.ticket)


async def its_lease(server: SimServer) -> Lease:
    (lease,) = await server.leases()
    return lease


async def test_f3_a_start_whose_answer_was_lost_keeps_its_gpu(server: SimServer) -> None:
    container = await stopped(server, minutes_ago=20)
    ticket = await begun(server, container)
    await server.engine.start(container.id)
    await not_started(server.world, ticket)
    assert (await its_lease(server)).state is LeaseState.RESERVED
    await server.reconciler.look(container.id)
    lease = await its_lease(server)
    assert (lease.state, lease.container) == (LeaseState.ACTIVE, container.id)


async def test_f3_a_start_of_which_the_engine_says_nothing_keeps_its_gpu(server: SimServer) -> None:
    container = await stopped(server, minutes_ago=20)
    ticket = await begun(server, container)
    await server.engine.start(container.id)
    server.engine.go_away()
    await not_started(server.world, ticket)
    assert (await its_lease(server)).state is LeaseState.RESERVED


async def test_a_start_is_not_granted_while_the_engine_is_away(server: SimServer) -> None:
    container = await stopped(server, minutes_ago=20)
    server.engine.go_away()
    with pytest.raises(Ds01Error):
        await begun(server, container)
    assert await server.leases() == ()


async def test_a_start_that_was_refused_gives_its_gpu_back(server: SimServer) -> None:
    container = await stopped(server, minutes_ago=20)
    await not_started(server.world, await begun(server, container))
    assert await server.leases() == ()


async def test_two_starts_at_once_have_one_gpu(server: SimServer) -> None:
    """The one that is refused does not take it from the other."""
    container = await stopped(server, minutes_ago=20)
    first, second = await begun(server, container), await begun(server, container)
    await not_started(server.world, first)
    assert (await its_lease(server)).state is LeaseState.RESERVED
    await server.engine.start(container.id)
    await started(server.world, second)
    assert (await its_lease(server)).state is LeaseState.ACTIVE


async def test_e4_a_hold_is_not_cut_short_by_a_start(server: SimServer) -> None:
    container = await stopped(server, minutes_ago=1)
    held = await its_lease(server)
    ticket = await begun(server, container)
    assert (await its_lease(server)).expires_at == held.expires_at
    await not_started(server.world, ticket)
    assert await its_lease(server) == held


@pytest.mark.parametrize("answered", [True, False])
async def test_e4_a_hold_that_nearly_ends_is_prolonged_for_the_start_only(server: SimServer, answered: bool) -> None:
    container = await stopped(server, minutes_ago=13)
    held = await its_lease(server)
    ticket = await begun(server, container)
    ends = (await its_lease(server)).expires_at
    assert ends == server.clock.now() + timedelta(minutes=5)
    if answered:
        await not_started(server.world, ticket)
        assert await its_lease(server) == held
    await server.clock.advance(300)
    await expire(server.world)
    await server.reconciler.end_leases()
    assert await server.leases() == ()


@pytest.mark.parametrize("overlapping", [False, True])
async def test_e4_starts_that_fail_keep_no_gpu(server: SimServer, overlapping: bool) -> None:
    """However many of them, and whether or not the next begins before the last one failed."""
    container = await stopped(server)
    held = await its_lease(server)
    ticket = await begun(server, container)
    for _ in range(20):
        await server.clock.advance(60)
        if overlapping:
            following = await begun(server, container)
            await not_started(server.world, ticket)
        else:
            await not_started(server.world, ticket)
            following = await begun(server, container)
        ticket = following
    await not_started(server.world, ticket)
    await server.reconciler.end_leases()
    assert held.id not in {lease.id for lease in await server.leases()}


async def test_a_start_that_is_refused_after_its_lease_holds_no_gpu(server: SimServer) -> None:
    container = await stopped(server, minutes_ago=20)
    server.engine.faults.away_after = 1  # it tells the container's devices, and then nothing more
    with pytest.raises(Ds01Error):
        await begun(server, container)
    assert await server.leases() == ()


async def test_a_start_that_is_refused_after_its_lease_leaves_the_hold(server: SimServer) -> None:
    container = await stopped(server, minutes_ago=13)
    held = await its_lease(server)
    server.engine.faults.away_after = 1
    with pytest.raises(Ds01Error):
        await begun(server, container)
    assert await its_lease(server) == held


async def becomes(server: SimServer, container: Container, state: ContainerState) -> None:
    await server.books(lambda books: books.put_container(replace(container, state=state, lease=None)))


@pytest.mark.parametrize(
    ("state", "kind"), [(ContainerState.QUARANTINED, WRONG_STATE), (ContainerState.REMOVED, NO_CONTAINER)]
)
async def test_a_start_that_had_to_wait_counts_what_became_of_the_container_meanwhile(
    server: SimServer, state: ContainerState, kind: object
) -> None:
    container = await stopped(server, minutes_ago=20)
    async with server.world.locks.hold(ALICE.uid, "thesis", "the reconciler"):
        waiting = asyncio.create_task(begun(server, container))
        await asyncio.sleep(0.2)
        await becomes(server, container, state)
    with pytest.raises(Ds01Error) as refused:
        await waiting
    assert refused.value.kind is kind
    assert await server.leases() == ()


async def test_e31_a_start_that_was_granted_before_it_was_taken_out_of_service_does_not_last(
    server: SimServer,
) -> None:
    """It runs as the ledger says: not at all, and its GPU is free."""
    container = await stopped(server, minutes_ago=20)
    ticket = await begun(server, container)
    await becomes(server, container, ContainerState.QUARANTINED)
    await server.engine.start(container.id)
    with pytest.raises(Ds01Error) as refused:
        await started(server.world, ticket)
    assert refused.value.kind is WRONG_STATE
    seen, found = await server.engine.inspect(container.id), await server.container()
    assert seen is not None
    assert not seen.running
    assert found is not None
    assert found.state is ContainerState.QUARANTINED
    assert await server.leases() == ()


async def test_a_start_whose_container_is_removed_already_brings_it_not_back(server: SimServer) -> None:
    """One with --rm may be over before ds01d hears that it began: the client's start was one all the same."""
    container = await stopped(server, minutes_ago=20)
    ticket = await begun(server, container)
    await becomes(server, container, ContainerState.REMOVED)
    assert (await started(server.world, ticket)).id == container.id
    found = await server.world.ledger.read(lambda books: books.container(container.id))
    assert found is not None
    assert found.state is ContainerState.REMOVED
    assert await server.leases() == ()
