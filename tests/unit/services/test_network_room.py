"""A user has as many networks as her limit says, however many she asks for at once."""

from __future__ import annotations

import asyncio

from ds01.domain.errors import NETWORK_QUOTA, Ds01Error
from ds01.services.door.holdings import make_network
from ds01.wire.holdings import DoorNetwork, DoorNetworkAsk
from tests.server import ALICE, BOB, SimServer, settings


async def test_d9_many_networks_at_once_are_no_more_than_allowed(server: SimServer) -> None:
    server.policy.change(settings(networks=2))
    asks = [DoorNetworkAsk(uid=user.uid, name=f"n{number}") for user in (ALICE, BOB) for number in range(5)]
    made = await asyncio.gather(*(make_network(server.world, ask) for ask in asks), return_exceptions=True)
    for user in (ALICE, BOB):
        assert sum(isinstance(each, DoorNetwork) and each.uid == user.uid for each in made) == 2
    assert {each.kind for each in made if isinstance(each, Ds01Error)} == {NETWORK_QUOTA}
