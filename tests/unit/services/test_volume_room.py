"""A user has as many volumes as her limit says: what is being made counts, with a name or without."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ds01.domain.errors import VOLUME_QUOTA, Ds01Error
from ds01.services import volumes
from ds01.services.caller import Caller
from ds01.services.door.create import grant
from ds01.services.door.redeem import abort
from ds01.wire.door import DoorCreate, DoorGrant, DoorTicket
from ds01.wire.holdings import DoorVolumeAsk
from tests.server import ALICE, BOB, MINIMAL, SimServer, settings

ASK = DoorCreate(uid=ALICE.uid, name="web", image=MINIMAL, image_id=MINIMAL, door="docker")


@pytest.fixture(autouse=True)
def limited(server: SimServer) -> None:
    """Three volumes, and containers enough."""
    server.policy.change(settings(volumes=3, containers=20))


def named(*names: str) -> tuple[DoorVolumeAsk, ...]:
    return tuple(DoorVolumeAsk(uid=ALICE.uid, name=name) for name in names)


async def refused(server: SimServer, ask: DoorCreate) -> str:
    with pytest.raises(Ds01Error) as error:
        await grant(server.world, ask)
    assert error.value.kind is VOLUME_QUOTA
    return error.value.problem.message


async def test_d9_nothing_is_made_for_a_container_that_wants_too_many(server: SimServer) -> None:
    ask = replace(ASK, volumes=named("data"), anonymous=3)
    assert await refused(server, ask) == "You have 0 of 3 volumes, and this needs 4 more."
    assert await server.engine.volumes() == ()
    assert (await grant(server.world, replace(ask, anonymous=2))).ticket


async def test_d9_a_volume_that_is_there_is_not_one_more(server: SimServer) -> None:
    caller = await server.caller()
    for name in ("a", "b", "c"):
        await volumes.make(server.world, caller, name, {}, {})
    assert (await grant(server.world, replace(ASK, volumes=named("a", "b")))).ticket
    assert await refused(server, replace(ASK, name="other", volumes=named("a", "d"))) == "You have 3 of 3 volumes."


async def test_d9_what_is_promised_counts_until_it_is_taken_back(server: SimServer) -> None:
    first = await grant(server.world, replace(ASK, anonymous=3))
    other = replace(ASK, name="other", anonymous=1)
    assert await refused(server, other) == "You have 3 of 3 volumes."
    assert (await grant(server.world, replace(other, uid=BOB.uid))).ticket
    await abort(server.world, DoorTicket(ticket=first.ticket))
    assert (await grant(server.world, other)).ticket


async def test_d9_many_at_once_are_no_more_than_allowed(server: SimServer) -> None:
    caller = await server.caller()
    asks = [replace(ASK, name=f"c{number}", anonymous=1) for number in range(6)]
    granted = await asyncio.gather(
        *(_made(server, caller, f"v{number}") for number in range(6)),
        *(grant(server.world, ask) for ask in asks),
        return_exceptions=True,
    )
    assert sum(isinstance(each, DoorGrant | str) for each in granted) == 3


async def _made(server: SimServer, caller: Caller, name: str) -> str:
    return (await volumes.make(server.world, caller, name, {}, {})).volume.id
