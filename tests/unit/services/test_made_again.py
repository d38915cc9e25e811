"""What is made again while it is removed is in the ledger: it is there, and counts."""

from __future__ import annotations

import asyncio

import pytest

from ds01.domain.container import ContainerId, Observed
from ds01.domain.volume import Volume
from ds01.ports.engine import NetworkSeen, VolumeSeen
from ds01.services import networks, volumes
from ds01.services.door.holdings import dropped, make_volume
from ds01.wire.holdings import DoorDropped, DoorVolumeAsk, Kind
from tests.server import ALICE, SimServer

STORED = f"data._.{ALICE.uid}"
ASK = DoorVolumeAsk(uid=ALICE.uid, name="data")
REMOVED = DoorDropped(uid=ALICE.uid, kind=Kind.VOLUME, ids=(STORED,))
TURNS = 20


async def known(server: SimServer) -> Volume | None:
    return await server.world.ledger.read(lambda books: books.volume(STORED))


@pytest.fixture
async def place(server: SimServer) -> SimServer:
    """She has a volume, which the engine has just removed."""
    await make_volume(server.world, ASK)
    del server.engine.volumes_made[STORED]
    return server


async def test_d9_a_volume_made_again_while_others_were_removed_stays_hers(place: SimServer) -> None:
    """A prune goes on, and of this volume ds01d hears last."""
    await make_volume(place.world, ASK)
    await dropped(place.world, REMOVED)
    assert await known(place) is not None
    assert (await place.events(STORED)).count("volume.removed") == 0


async def test_it_is_told_again_to_who_has_forgotten_it(place: SimServer) -> None:
    await make_volume(place.world, ASK)
    before = await place.events(STORED)
    await dropped(place.world, REMOVED)
    assert await place.events(STORED) == [*before, "volume.created"]


async def test_what_the_engine_has_no_more_is_forgotten(place: SimServer) -> None:
    await dropped(place.world, REMOVED)
    await dropped(place.world, REMOVED)
    assert await known(place) is None
    assert await place.events(STORED) == ["volume.created", "volume.removed"]


@pytest.mark.parametrize("name", ["dropped", "tidy"])
async def test_d9_one_made_again_while_ds01d_looks_is_hers(
    place: SimServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The engine says that there is none; before that is written down, another one is made."""
    look, making = place.engine.volume, list[asyncio.Task[object]]()

    async def first_look(volume: str) -> VolumeSeen | None:
        found = await look(volume)
        if not making:
            making.append(asyncio.create_task(make_volume(place.world, ASK)))
            for _ in range(TURNS):
                await asyncio.sleep(0)
        return found

    monkeypatch.setattr(place.engine, "volume", first_look)
    await (dropped(place.world, REMOVED) if name == "dropped" else volumes.tidy(place.world))
    await asyncio.gather(*making)
    assert STORED in place.engine.volumes_made
    assert await known(place) is not None


async def test_d9_one_the_engine_makes_again_for_a_container_is_hers(
    place: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes what a container wants and is not there, with no labels."""
    caller, look, adopting = await place.caller(), place.engine.volume, list[asyncio.Task[object]]()
    made = Observed(
        id=ContainerId("c" * 64), stored_name="x", image="", labels={}, running=False, paused=False,
        created_at=place.clock.now(), volumes=(STORED,), volume_folders={STORED: "/volumes/data"},
    )  # fmt: skip

    async def first_look(volume: str) -> VolumeSeen | None:
        found = await look(volume)
        if not adopting:
            await place.engine.create_volume(STORED, {}, {})
            adopting.append(asyncio.create_task(volumes.adopt(place.world, caller, made, (), hers=True)))
            for _ in range(TURNS):
                await asyncio.sleep(0)
        return found

    monkeypatch.setattr(place.engine, "volume", first_look)
    await dropped(place.world, REMOVED)
    await asyncio.gather(*adopting)
    assert await known(place) is not None


async def test_d9_one_made_after_the_engine_was_asked_for_all_is_hers(
    place: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = place.engine.volumes

    async def at_first() -> tuple[VolumeSeen, ...]:
        found = await every()
        await make_volume(place.world, ASK)
        return found

    monkeypatch.setattr(place.engine, "volumes", at_first)
    await volumes.tidy(place.world)
    assert await known(place) is not None


async def test_who_makes_one_now_is_not_waited_for(place: SimServer) -> None:
    async with place.world.locks.hold(ALICE.uid, f"volume {STORED}", "create"):
        await volumes.tidy(place.world)
    assert await known(place) is not None
    await volumes.tidy(place.world)
    assert await known(place) is None


async def test_d9_a_network_made_after_the_engine_was_asked_for_all_is_hers(
    server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, every = await server.caller(), server.engine.networks

    async def at_first(name: str = "") -> tuple[NetworkSeen, ...]:
        monkeypatch.undo()
        found = await every(name)
        await networks.own(server.world, caller)
        return found

    monkeypatch.setattr(server.engine, "networks", at_first)
    await networks.tidy(server.world)
    assert await server.world.ledger.read(lambda books: len(books.networks(ALICE.uid))) == 1
