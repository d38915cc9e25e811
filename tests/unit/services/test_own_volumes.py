"""What an image has for volumes is its container's owner's and counted, also where DS01 makes the container itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ds01.domain import errors
from ds01.domain.container import ContainerId, Observed
from ds01.domain.errors import VOLUME_QUOTA, Ds01Error
from ds01.domain.volume import Volume
from ds01.services import volumes
from ds01.services.disk import measure, use_shown
from ds01.services.door.holdings import make_volume
from ds01.services.measured import SHOWN_SECONDS
from ds01.services.remove import remove
from ds01.services.retire import retire
from ds01.sim.ledger import MemoryLedger
from ds01.wire.containers import RetireRequest
from ds01.wire.holdings import DoorVolumeAsk
from tests.server import ALICE, SimServer, settings
from tests.unit.services.test_jobs import Jobs

IMAGE = "ds01/data:1"


@pytest.fixture(autouse=True)
def image(server: SimServer) -> None:
    """Wants two volumes, of the three she may have."""
    server.policy.change(settings(volumes=3))
    server.engine.add_image(IMAGE, volumes=2)


async def hers(server: SimServer) -> list[Volume]:
    return list(await server.world.ledger.read(lambda books: books.volumes(ALICE.uid)))


async def refused(server: SimServer, **changes: object) -> str:
    with pytest.raises(Ds01Error) as error:
        await server.launch(image=IMAGE, **changes)  # type: ignore[arg-type]
    assert error.value.kind is VOLUME_QUOTA
    return error.value.problem.message


async def test_d9_a_launch_s_volumes_are_hers_before_it_starts(
    server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, handed = server.engine.start, list[dict[str, int]]()

    async def starting(container: ContainerId) -> None:
        handed.append(dict(server.host.handed))
        await begin(container)

    monkeypatch.setattr(server.engine, "start", starting)
    made = await server.launch(image=IMAGE)
    seen = await server.engine.inspect(made.id)
    assert seen is not None
    assert {volume.id for volume in await hers(server)} == set(seen.volumes)
    assert len(seen.volumes) == 2
    assert all(volume.anonymous for volume in await hers(server))
    assert handed == [dict.fromkeys(seen.volume_folders.values(), ALICE.uid)]


async def test_d9_their_space_is_hers(server: SimServer) -> None:
    made = await server.launch(image=IMAGE)
    seen = await server.engine.inspect(made.id)
    assert seen is not None
    server.engine.volume_use = dict.fromkeys(seen.volumes, 1 << 30)
    await measure(server.world)
    await server.clock.advance(SHOWN_SECONDS)
    assert (await use_shown(server.world, await server.caller())).volumes_bytes == 2 << 30


async def test_d9_what_would_be_too_many_is_not_made(server: SimServer) -> None:
    await server.launch(project="one", image=IMAGE)
    assert await refused(server, project="two") == "You have 2 of 3 volumes, and this needs 2 more."
    assert (len(await hers(server)), len(await server.engine.list())) == (2, 1)
    assert len(await server.leases()) == 1


async def test_one_made_anew_needs_no_room_for_what_goes_with_the_old_one(server: SimServer) -> None:
    old = await server.launch(image=IMAGE)
    new = await server.launch(image=IMAGE, recreate=True)
    assert new.id != old.id
    await volumes.tidy(server.world)
    seen = await server.engine.inspect(new.id)
    assert seen is not None
    assert {volume.id for volume in await hers(server)} == set(seen.volumes) == set(server.engine.volumes_made)


@pytest.mark.parametrize("how", ["retire", "remove"])
async def test_they_go_with_it(server: SimServer, how: str) -> None:
    await server.launch(image=IMAGE)
    caller = await server.caller()
    if how == "retire":
        await retire(server.world, caller, "thesis", RetireRequest())
    else:
        await remove(server.world, caller, "thesis", force=True)
    assert server.engine.volumes_made == {}
    await server.reconciler.round()
    assert await hers(server) == []
    assert len([each for each in await server.events() if each == "volume.removed"]) == 2
    assert await server.launch(image=IMAGE)


async def test_what_did_not_start_leaves_none(server: SimServer) -> None:
    server.engine.faults.refuse_start = "no such device"
    for _ in range(3):
        with pytest.raises(Ds01Error) as error:
            await server.launch(image=IMAGE)
        assert error.value.kind is errors.START_FAILED
    server.engine.faults.refuse_start = ""
    assert server.engine.volumes_made == {}
    assert await server.launch(image=IMAGE)


@pytest.mark.parametrize("known", [True, False])
async def test_d9_of_a_container_that_is_found_again_they_are_hers(server: SimServer, known: bool) -> None:
    """The ledger is lost, or who made the container was killed before it said so. Labels they have none."""
    made = await server.launch(image=IMAGE)
    had = await hers(server)
    await server.lose_ledger(MemoryLedger())
    if not known:
        server.directory.remove(ALICE.uid)
    await server.reconciler.round()
    assert await server.world.ledger.read(lambda books: books.container(made.id)) is not None
    assert [volume.id for volume in await hers(server)] == ([volume.id for volume in had] if known else [])


async def test_one_in_it_that_has_labels_keeps_its_name(server: SimServer, monkeypatch: pytest.MonkeyPatch) -> None:
    await server.launch(image=IMAGE)
    named = (await make_volume(server.world, DoorVolumeAsk(uid=ALICE.uid, name="data"))).id
    inspect = server.engine.inspect

    async def with_it(container: ContainerId, **_: object) -> Observed | None:
        found = await inspect(container)
        return found and replace(found, volume_folders={**found.volume_folders, named: "/volumes/data"})

    monkeypatch.setattr(server.engine, "inspect", with_it)
    had = {volume.id: volume.name for volume in await hers(server)}
    await server.lose_ledger(MemoryLedger())
    await server.reconciler.round()
    assert {volume.id: volume.name for volume in await hers(server)} == had


async def test_d9_a_job_s_volumes_are_hers_while_it_goes_on(server: SimServer) -> None:
    jobs = Jobs(server)
    job = await jobs.one(image=IMAGE)
    await jobs.go()
    assert len(await hers(server)) == 2
    await jobs.ends(job.name)
    assert (server.engine.volumes_made, await hers(server)) == ({}, [])
    await jobs.runner.close()


async def test_d9_a_job_of_which_there_are_too_many_is_tried_again(server: SimServer) -> None:
    jobs = Jobs(server)
    await server.launch(project="one", image=IMAGE, gpus="0")
    job = await jobs.one(image=IMAGE, gpus="0", retries=1)
    await jobs.go()
    assert (await jobs.state(job)) == "waiting"
    await jobs.go(60)
    assert (await jobs.state(job)).startswith("ended: start You have 2 of 3 volumes, and this needs 2 more.")
    assert (await jobs.get(job)).attempt == 2
    assert len(server.engine.volumes_made) == 2
    await jobs.runner.close()
