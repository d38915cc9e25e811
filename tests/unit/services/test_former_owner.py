"""A GPU comes back also when the account that had it is gone, or is somebody else's (I6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ds01.domain.container import Container, ContainerState, Door, StopReason
from ds01.domain.limits import Sourced
from ds01.sim.meters import Use
from tests.server import ALICE, SimServer, settings

NEWCOMER = replace(ALICE, login="newcomer")


async def left_running(server: SimServer, *, handed_on: bool, cpus: float = 0) -> Container:
    """Hers, with a GPU, after her account ended. She had no limits of time; who is in no group has."""
    limits = settings(runtime=timedelta(hours=2)) if cpus else settings(runtime=None, idle=timedelta(minutes=30))
    unlimited = {key: Sourced(value=None, source="limits.yaml:9") for key in ("runtime", "idle")}
    server.policy.settings = replace(limits, policy=replace(limits.policy, users={"alice": unlimited}))
    made = await server.launch()
    server.meters.use(made.id, Use(cpus=cpus))
    await server.clock.advance(60)
    server.directory.remove(ALICE.uid)
    if handed_on:
        server.directory.add(NEWCOMER)
        await server.caller(NEWCOMER)
    return made


async def found(server: SimServer, made: Container) -> tuple[Container, bool]:
    """As the ledger has it, and whether the engine runs it."""
    container = await server.world.ledger.read(lambda books: books.container(made.id))
    seen = await server.engine.inspect(made.id)
    assert container is not None
    assert seen is not None
    return container, seen.running


@pytest.mark.parametrize("handed_on", [False, True])
@pytest.mark.parametrize(
    ("cpus", "before", "after", "reason"), [(0, 40, 20, StopReason.IDLE), (32, 110, 15, StopReason.RUNTIME)]
)
async def test_i6_what_a_former_owner_left_keeps_its_gpu_for_no_longer_than_anybody(
    server: SimServer, handed_on: bool, cpus: float, before: float, after: float, reason: StopReason
) -> None:
    made = await left_running(server, handed_on=handed_on, cpus=cpus)
    await server.live(before if handed_on else 23 * 60, look_seconds=15 if handed_on else 300)
    assert (await found(server, made))[1]
    await server.live(after if handed_on else 125)
    container, running = await found(server, made)
    assert (container.reason, running) == (reason, False)
    assert container.state is (ContainerState.QUARANTINED if handed_on else ContainerState.STOPPED)
    assert await server.leases() == ()


async def test_i6_what_is_left_of_a_former_owners_job_ends_by_the_clock_too(server: SimServer) -> None:
    server.policy.settings = settings(runtime=timedelta(hours=2))
    made = await server.launch()
    server.meters.use(made.id, Use(cpus=32))
    await server.books(lambda books: books.put_container(replace(made, door=Door.JOB)))
    server.directory.add(NEWCOMER)
    await server.caller(NEWCOMER)
    await server.live(125)
    assert not (await found(server, made))[1]
    assert await server.leases() == ()


async def test_while_the_directory_is_away_nobody_loses_a_gpu(server: SimServer) -> None:
    """However often: what it does not know for less than a day is not gone."""
    made = await left_running(server, handed_on=False)
    for _ in range(3):
        await server.live(20 * 60, look_seconds=300)
        server.directory.add(replace(ALICE, groups=frozenset({"staff"})))
        await server.live(10, look_seconds=60)
        server.directory.remove(ALICE.uid)
    assert (await found(server, made))[1]


async def test_i6_what_a_former_owner_left_without_a_gpu_runs_on(server: SimServer) -> None:
    server.policy.settings = settings(runtime=timedelta(hours=2), idle=timedelta(minutes=30))
    made = await server.launch(gpus="0")
    server.directory.remove(ALICE.uid)
    await server.live(36 * 60, look_seconds=300)
    assert (await found(server, made))[1]


async def test_i6_what_a_former_owner_left_and_what_ended_by_itself_keeps_no_gpu(server: SimServer) -> None:
    made = await left_running(server, handed_on=True)
    await server.reconciler.round()
    assert len(await server.leases()) == 1
    server.engine.die(made.id, 0)
    await server.reconciler.round()
    assert await server.leases() == ()


async def test_i6_the_end_of_what_a_former_owner_left_is_no_affair_of_the_next_one(server: SimServer) -> None:
    made = await left_running(server, handed_on=True)
    await server.live(60)
    assert not (await found(server, made))[1]
    account = await server.world.ledger.read(lambda books: books.account(ALICE.uid))
    assert account is not None
    assert account.since is not None
    hers = await server.world.ledger.read(lambda books: books.events(uid=ALICE.uid, since=account.since))
    assert [event.type.value for event in hers] == []
