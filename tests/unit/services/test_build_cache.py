"""The build cache in the disk ledger: charged to who built, also after ds01d was started again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ds01.domain.build_cache import CacheRecord
from ds01.domain.errors import DISK_FULL, Ds01Error
from ds01.services import build_cache
from ds01.services.disk import measure, uses
from ds01.services.door import building
from ds01.sim.facts import SimFacts
from ds01.sim.ledger import MemoryLedger
from ds01.wire.door import DoorBuild, DoorCache, DoorTicket
from tests.server import ALICE, BOB, SimServer


@pytest.fixture(autouse=True)
def guarded(server: SimServer) -> None:
    """BuildKit may be used."""
    facts = server.world.facts
    assert isinstance(facts, SimFacts)
    facts.guards[server.world.paths.engine.removeprefix("unix://")] = "/guard"


async def builds(server: SimServer, uid: int, record: str, *, size: int, kit: bool = True) -> None:
    """A build of this user's that leaves a record in the cache."""
    grant = await building.grant(server.world, DoorBuild(uid=uid, refs=(), memory_bytes=0, buildkit=kit))
    server.clock.jump(timedelta(minutes=1))
    now = server.clock.now()
    server.engine.cache.append(
        CacheRecord(
            id=record, kind="regular", description="x", size_bytes=size, shared=False, in_use=False, created_at=now,
            used_at=now,
        )
    )  # fmt: skip
    server.clock.jump(timedelta(minutes=1))
    await building.over(server.world, DoorTicket(ticket=grant.ticket))


async def charged(server: SimServer) -> dict[str, int]:
    await measure(server.world)
    return {account: use.cache_bytes for account, use in (await uses(server.world)).items() if use.cache_bytes}


async def test_d7_what_a_build_leaves_is_charged_to_who_built(server: SimServer) -> None:
    await builds(server, ALICE.uid, "a", size=70)
    await builds(server, BOB.uid, "b", size=30)
    assert await charged(server) == {"1001:1": 70, "1002:1": 30}
    assert (await build_cache.hers(server.world, ALICE.uid)).ids == ("a",)
    server.engine.cache.pop(0)
    assert await charged(server) == {"1002:1": 30}


async def test_it_is_known_after_a_start_of_ds01d(server: SimServer) -> None:
    await builds(server, ALICE.uid, "a", size=70)
    server.world = server.another_world()
    assert await charged(server) == {"1001:1": 70}
    server.world = server.another_world()
    assert await charged(server) == {"1001:1": 70}


async def test_d18_what_two_made_at_once_goes_with_the_last_who_gives_it_up(server: SimServer) -> None:
    ask = DoorBuild(uid=ALICE.uid, refs=(), memory_bytes=0, buildkit=True)
    grant = await building.grant(server.world, ask)
    await builds(server, BOB.uid, "both", size=70)
    await building.over(server.world, DoorTicket(ticket=grant.ticket))
    assert await charged(server) == {"1001:1": 35, "1002:1": 35}
    assert await build_cache.give_up(server.world, ALICE.uid) == DoorCache()
    server.world = server.another_world()
    assert await charged(server) == {"1002:1": 35}
    assert (await build_cache.hers(server.world, BOB.uid)).ids == ()
    assert await build_cache.give_up(server.world, BOB.uid) == DoorCache(unseen=("both",))


async def test_builds_of_the_other_builder_leave_nothing_there(server: SimServer) -> None:
    await builds(server, ALICE.uid, "a", size=70, kit=False)
    assert await charged(server) == {}
    assert (await build_cache.hers(server.world, ALICE.uid)).ids == ()


async def test_a_full_disk_keeps_nobody_from_what_fills_it(server: SimServer) -> None:
    await builds(server, ALICE.uid, "a", size=70)
    ledger = server.world.ledger
    assert isinstance(ledger, MemoryLedger)
    ledger.fault = Ds01Error(DISK_FULL, "The disk of the ledger is full.")
    assert (await build_cache.hers(server.world, ALICE.uid)).ids == ("a",)
    assert await build_cache.give_up(server.world, ALICE.uid) == DoorCache(ids=("a",))
    await measure(server.world)
    ledger.fault = None
    server.clock.jump(timedelta(hours=7))
    assert await charged(server) == {"1001:1": 70}


async def test_d18_what_could_not_be_given_up_is_hers_still(server: SimServer) -> None:
    ask = DoorBuild(uid=ALICE.uid, refs=(), memory_bytes=0, buildkit=True)
    grant = await building.grant(server.world, ask)
    await builds(server, BOB.uid, "both", size=70)
    await building.over(server.world, DoorTicket(ticket=grant.ticket))
    ledger = server.world.ledger
    assert isinstance(ledger, MemoryLedger)
    ledger.fault = Ds01Error(DISK_FULL, "The disk of the ledger is full.")
    assert await build_cache.give_up(server.world, ALICE.uid) == DoorCache()
    assert await build_cache.give_up(server.world, BOB.uid) == DoorCache()
    ledger.fault = None
    assert await charged(server) == {"1001:1": 35, "1002:1": 35}
