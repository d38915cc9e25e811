"""Starts through the Docker door that fail, or of which nobody knows: the GPU is neither lost nor given to two."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ds01.domain.container import Container
from ds01.domain.errors import Ds01Error
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
