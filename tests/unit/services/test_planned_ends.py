"""When a GPU is back: at the end of the time it was given for, whatever its owner does, if somebody was promised it."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from ds01.domain import errors
from ds01.domain.container import ContainerState
from ds01.domain.errors import Ds01Error
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.queue.plan import Owner
from ds01.services.observe import show_container
from ds01.services.prolong import extend
from ds01.services.queue.scene import HEAD
from ds01.services.start import start
from ds01.services.steps import Steps
from ds01.services.stop import stop
from tests.server import ALICE, BOB, SimServer, settings

HOUR = 3600
MANY = {"gpus__max": Fraction(4), "gpus__per_container": 4, "idle": None}


async def lease_of(server: SimServer, name: str) -> Lease:
    return next(lease for lease in await server.leases() if lease.name == name)


async def test_a_hold_past_its_time_goes_to_who_asks_and_stays_while_nobody_does(server: SimServer) -> None:
    server.policy.settings = settings(**MANY, runtime=timedelta(hours=1))
    await server.launch(BOB, "one", gpus="4")
    await server.live(61)
    await server.turns.take()
    assert (await lease_of(server, "one")).state is LeaseState.HELD
    assert (await server.launch(ALICE, gpus="2")).state is ContainerState.RUNNING
    assert [lease.name for lease in await server.leases()] == ["thesis"]


async def test_a_hold_within_its_time_is_kept_from_who_waits(server: SimServer) -> None:
    server.policy.settings = settings(**MANY, runtime=timedelta(hours=1))
    await server.launch(BOB, "one", gpus="4")
    await server.live(50)
    await stop(server.world, await server.caller(BOB), "one")
    waits = await server.waits(ALICE, gpus="2")
    await server.expire(9)
    assert not waits.done()
    await server.expire(2)
    assert (await waits).state is ContainerState.RUNNING


async def test_a_hold_past_its_time_counts_against_its_owners_quota(server: SimServer) -> None:
    server.policy.settings = settings(idle=None, runtime=timedelta(hours=1))
    await server.launch(BOB, "one", gpus="2")
    await server.live(61)
    with pytest.raises(Ds01Error) as caught:
        await server.launch(BOB, "two")
    assert caught.value.kind is errors.GPU_QUOTA


async def test_nobody_extends_into_the_time_somebody_was_given(server: SimServer) -> None:
    server.policy.settings = settings(**MANY, runtime=timedelta(hours=8))
    await server.launch(ALICE, time_seconds=2 * HOUR)
    waits = await server.waits(BOB, "all", gpus="4", time_seconds=600)
    for _ in range(115):
        await server.live(1)
        await server.turns.take()
    assert await server.world.ledger.read(lambda books: books.note(HEAD))
    with pytest.raises(Ds01Error) as caught:
        await extend(server.world, await server.caller(), "thesis", HOUR)
    assert caught.value.kind is errors.EXTEND_QUOTA
    assert "somebody who waits was given its GPU" in caught.value.problem.message
    assert (await lease_of(server, "thesis")).planned == timedelta(hours=2)
    await server.live(6)
    await server.turns.take()
    assert (await waits).state is ContainerState.RUNNING


async def test_who_starts_again_within_the_hold_has_all_her_time(server: SimServer) -> None:
    """The hour it stood still is not taken from her."""
    server.policy.settings = settings(idle=None, gpu_hold=timedelta(hours=2), runtime=timedelta(hours=4))
    await server.launch()
    await server.live(60)
    await stop(server.world, await server.caller(), "thesis")
    await server.clock.advance(HOUR)
    await start(server.world, await server.caller(), "thesis", Steps(server.clock))
    assert (await lease_of(server, "thesis")).planned == timedelta(hours=5)
    await server.live(1)
    view = await show_container(server.world, await server.caller(), "thesis")
    assert view.runtime_left_seconds == pytest.approx(3 * HOUR - 60, abs=30)


async def test_who_starts_again_after_her_time_is_judged_with_those_who_wait(server: SimServer) -> None:
    server.policy.settings = settings(idle=None, gpu_hold=timedelta(hours=2), runtime=timedelta(hours=4))
    await server.launch(time_seconds=HOUR)
    await server.live(50)
    await stop(server.world, await server.caller(), "thesis")
    before = await lease_of(server, "thesis")
    await server.clock.advance(HOUR)
    await start(server.world, await server.caller(), "thesis", Steps(server.clock))
    again = await lease_of(server, "thesis")
    assert (again.id != before.id, again.slots) == (True, before.slots)


async def test_whose_turn_for_several_it_was_is_known_after_a_restart(server: SimServer) -> None:
    """Those who collect take turns; a ds01d that starts again does not begin with a clean slate."""
    server.policy.settings = settings(**MANY, runtime=timedelta(hours=1))
    await server.launch(ALICE, gpus="4")
    waits = await server.waits(BOB, "pair", gpus="2")
    await server.live(61)
    await server.turns.take()
    await waits
    at = (await lease_of(server, "pair")).granted_at
    more = await server.waits(ALICE, "more", gpus="4")
    server.restart()
    assert server.world.line.gathered == {}
    await server.turns.take()
    assert server.world.line.gathered == {Owner(BOB.uid, 1): at}
    more.cancel()
