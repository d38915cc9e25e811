"""While the gateway copies files with an older engine, ds01d starts nothing that could lead it astray, nor before."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from ds01.domain.container import ContainerId, Observed
from ds01.domain.errors import BUSY, Ds01Error
from ds01.ports.engine import Guarding
from ds01.services.door.copying import copying
from ds01.services.start import start
from ds01.services.steps import Steps
from ds01.services.stop import stop
from ds01.wire.holdings import DoorCopy
from tests.server import SimServer

VOLUME = "v._.1001"


@pytest.fixture
async def place(server: SimServer, monkeypatch: pytest.MonkeyPatch) -> SimServer:
    """Behind a guard; Alice's container stands still, and has a volume."""
    await server.launch(gpus="0")
    await stop(server.world, await server.caller(), "thesis")
    inspect = server.engine.inspect

    async def with_a_volume(id_: ContainerId) -> Observed | None:
        seen = await inspect(id_)
        folders = {VOLUME: f"/volumes/{VOLUME}/_data"}
        return replace(seen, volumes=(VOLUME,), volume_folders=folders) if seen is not None else None

    async def options(_: str) -> dict[str, str]:
        return {}

    monkeypatch.setattr(server.engine, "inspect", with_a_volume)
    monkeypatch.setattr(server.engine, "volume_options", options)
    server.engine.guarding = Guarding(folder="/var/lib/ds01/guard", data_root="/var/lib/docker")
    return server


async def container(place: SimServer) -> ContainerId:
    found = await place.container()
    assert found is not None
    return found.id


async def starts(place: SimServer) -> None:
    await start(place.world, await place.caller(), "thesis", Steps(place.clock))


async def running(place: SimServer) -> bool:
    seen = await place.engine.inspect(await container(place))
    return seen is not None and seen.running


@pytest.mark.parametrize("which", ["itself", "a volume of it"])
async def test_e29_what_is_copied_is_not_started(place: SimServer, which: str) -> None:
    mine = await container(place)
    ask = DoorCopy(id=mine) if which == "itself" else DoorCopy(id="another", volumes=("w", VOLUME))
    async with aclosing(copying(place.world, ask)) as words:
        assert (await anext(words)).free
        with pytest.raises(Ds01Error) as refused:
            await starts(place)
        assert refused.value.problem.kind is BUSY
        assert not await running(place)
    await starts(place)
    assert await running(place)


async def test_what_has_nothing_of_it_is_started(place: SimServer) -> None:
    async with aclosing(copying(place.world, DoorCopy(id="another", volumes=("w",)))) as words:
        assert (await anext(words)).free
        await starts(place)


@pytest.mark.parametrize("which", ["itself", "a volume of it", "something else"])
async def test_e29_what_is_being_started_is_not_copied(
    place: SimServer, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    mine, begun, go_on, begin = await container(place), asyncio.Event(), asyncio.Event(), place.engine.start

    async def slowly(id_: ContainerId) -> None:
        begun.set()
        await go_on.wait()
        await begin(id_)

    monkeypatch.setattr(place.engine, "start", slowly)
    starting = asyncio.create_task(starts(place))
    async with asyncio.timeout(30):
        await begun.wait()
        asks = {"itself": DoorCopy(id=mine), "a volume of it": DoorCopy(id="another", volumes=(VOLUME,)),
                "something else": DoorCopy(id="another", volumes=("w",))}  # fmt: skip
        async with aclosing(copying(place.world, asks[which])) as words:
            assert (await anext(words)).free is (which == "something else")
        go_on.set()
        await starting
        async with aclosing(copying(place.world, asks[which])) as words:
            assert (await anext(words)).free


async def test_a_start_that_fails_leaves_nothing_behind(place: SimServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: ContainerId) -> None:
        raise Ds01Error(BUSY, "no")

    with monkeypatch.context() as patched:
        patched.setattr(place.engine, "start", broken)
        with pytest.raises(Ds01Error):
            await starts(place)
    async with aclosing(copying(place.world, DoorCopy(id=await container(place), volumes=(VOLUME,)))) as words:
        assert (await anext(words)).free
