"""Two users who name one port of the host: the second one gets another, whatever the first one's create is at."""

from __future__ import annotations

from ds01.domain.people import User
from ds01.services.door.create import grant
from ds01.services.door.redeem import commit
from ds01.wire.door import DoorCommit, DoorCreate
from tests.server import ALICE, BOB, MINIMAL, SimServer


def asks(user: User) -> DoorCreate:
    return DoorCreate(
        uid=user.uid, name="web", image=MINIMAL, image_id=MINIMAL, door="docker", gpus="0", ports=(18080,)
    )  # fmt: skip


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
