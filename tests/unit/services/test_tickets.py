"""Tickets count the time that passes, not what the clock says, and may be asked from the ledger's threads."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ds01.domain.container import ContainerId
from ds01.domain.errors import Ds01Error
from ds01.services.caller import Caller
from ds01.services.door import writing
from ds01.services.door.create import grant
from ds01.services.door.redeem import commit, expire
from ds01.services.tickets import LIFE_SECONDS, Tickets
from ds01.wire.door import DoorCommit, DoorCreate, DoorWrite, Writing
from tests.server import ALICE, MINIMAL, SimServer
from tests.values import container as container_named
from tests.values import lease as lease_named

CREATE = DoorCreate(uid=ALICE.uid, name="web", image=MINIMAL, image_id=MINIMAL, door="docker", gpus="1")
OPEN, LOOKS = 100, 300


@pytest.mark.parametrize("hours", [5, -5])
async def test_i5_a_create_goes_on_when_the_clock_is_set(server: SimServer, hours: int) -> None:
    await server.build()
    granted = await grant(server.world, CREATE)
    server.clock.jump(timedelta(hours=hours))
    await expire(server.world)
    made = await commit(server.world, DoorCommit(ticket=granted.ticket, id="a" * 64))
    assert made.container.name == "web"


@pytest.mark.parametrize("hours", [5, -5])
async def test_i5_nobody_comes_for_it_in_the_time_that_passes(server: SimServer, hours: int) -> None:
    await server.build()
    await grant(server.world, CREATE)
    server.clock.jump(timedelta(hours=hours))
    await server.clock.advance(LIFE_SECONDS)
    await expire(server.world)
    assert await server.leases() == ()


async def test_i5_a_writing_goes_on_when_the_clock_is_set(server: SimServer) -> None:
    await writing.grant(server.world, DoorWrite(uid=ALICE.uid, what=Writing.LOAD, refs=("tool:1",)))
    server.clock.jump(timedelta(hours=5))
    await writing.lapse(server.world)
    assert server.world.tickets.being_written(server.clock.monotonic()) == {"tool:1"}


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


async def test_a_rule_in_the_ledger_looks_through_them_while_they_change(server: SimServer, restless: None) -> None:
    tickets, caller, lease = Tickets(), await server.caller(), lease_named("thesis")
    for number in range(OPEN):
        tickets.issue(caller, replace(container_named(f"c{number}"), id=ContainerId("")), lease, 0, before=lease)
        tickets.reserve(caller, {f"tool:{number}": ""}, 0)
    looking = asyncio.create_task(asyncio.to_thread(_look, tickets, caller))
    while not looking.done():
        ticket, names = tickets.issue(caller, container_named("new"), lease, 0), tickets.reserve(caller, {}, 0)
        await asyncio.sleep(0)
        tickets.redeem(ticket.id, 0)
        tickets.written(names.id)
    await looking


def _look(tickets: Tickets, caller: Caller) -> None:
    for _ in range(LOOKS):
        tickets.creating(caller.uid)
        tickets.as_it_was(lease_named("another"))
        tickets.writing("tool:x", caller.uid, 0)


async def test_i1_what_comes_too_late_is_taken_back_all_the_same(server: SimServer) -> None:
    """Whoever brings a ticket when its time is over and ds01d has not looked yet gets nothing, and keeps nothing."""
    await server.build()
    granted = await grant(server.world, CREATE)
    assert await server.leases()
    await server.clock.advance(LIFE_SECONDS)
    with pytest.raises(Ds01Error, match="over"):
        await commit(server.world, DoorCommit(ticket=granted.ticket, id="a" * 64))
    await expire(server.world)
    assert await server.leases() == ()
