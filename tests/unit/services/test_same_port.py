"""Two users who name one port of the host: the second one gets another, whatever the first one's create is at."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ds01.domain.errors import PORT_QUOTA, Ds01Error
from ds01.domain.people import User
from ds01.services.door.create import grant
from ds01.services.door.redeem import commit
from ds01.wire.door import DoorCommit, DoorCreate, DoorGrant
from tests.server import ALICE, BOB, MINIMAL, SimServer, settings


def asks(user: User) -> DoorCreate:
    return DoorCreate(
        uid=user.uid, name="web", image=MINIMAL, image_id=MINIMAL, door="docker", gpus="0", ports=(18080,)
    )  # fmt: skip


async def test_d12_a_user_publishes_so_many_and_no_more(server: SimServer) -> None:
    """What is promised, recorded and asked for at the same moment counts together, hers alone."""
    server.policy.change(settings(containers=20))
    first = await grant(server.world, replace(asks(ALICE), published=200))
    await commit(server.world, DoorCommit(ticket=first.ticket, id="a" * 64))
    await grant(server.world, replace(asks(ALICE), name="promised", published=26))
    many = [replace(asks(ALICE), name=f"c{number}", published=10) for number in range(5)]
    found = await asyncio.gather(*(grant(server.world, ask) for ask in many), return_exceptions=True)
    assert sum(isinstance(each, DoorGrant) for each in found) == 3
    with pytest.raises(Ds01Error, match="publish 256 of 256 ports, and this needs 1 more") as refused:
        await grant(server.world, replace(asks(ALICE), name="over", published=1))
    assert refused.value.kind is PORT_QUOTA
    assert (await grant(server.world, replace(asks(ALICE), name="none", ports=()))).ticket
    assert (await grant(server.world, replace(asks(BOB), published=64))).ticket


async def test_a_port_is_taken_from_the_grant_on(server: SimServer) -> None:
    await server.build()
    assert (await grant(server.world, asks(ALICE))).moved == ()
    assert (await grant(server.world, asks(BOB))).moved == (18080,)


async def test_a_port_is_taken_while_its_container_is_being_recorded(server: SimServer) -> None:
    await server.build()
    granted = await grant(server.world, asks(ALICE))
    ticket = server.world.tickets.redeem(granted.ticket, server.clock.monotonic())
    assert ticket is not None
    with server.world.tickets.recording(ticket):
        assert (await grant(server.world, asks(BOB))).moved == (18080,)


async def test_a_port_is_taken_when_it_is_recorded(server: SimServer) -> None:
    await server.build()
    granted = await grant(server.world, asks(ALICE))
    await commit(server.world, DoorCommit(ticket=granted.ticket, id="a" * 64))
    assert (await grant(server.world, asks(BOB))).moved == (18080,)
    assert server.world.tickets.promised()[0].uid == BOB.uid
