"""A volume is in containers of one kind: those that run as their owner, or those with root, and never goes back."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import replace

import pytest

from ds01.domain.container import Container, ContainerId, ContainerState, Door, Observed
from ds01.domain.errors import DISK_FULL, Ds01Error
from ds01.domain.volume import Volume
from ds01.ports.engine import Guarding
from ds01.services.caller import identify
from ds01.services.door.create import grant
from ds01.services.guard import allow
from ds01.wire.door import DoorCreate
from ds01.wire.holdings import DoorVolumeAsk
from tests.server import ALICE, MINIMAL, SimServer
from tests.values import container

FOLDER = "/var/lib/ds01/guard"
STORED = "v._.1001"
PLACE = f"/volumes/{STORED}/_data"


@pytest.fixture
async def place(server: SimServer, monkeypatch: pytest.MonkeyPatch) -> SimServer:
    """Behind a guard; every container has one volume, which the ledger knows."""
    server.engine.guarding = Guarding(folder=FOLDER, data_root="/var/lib/docker")
    running: set[ContainerId] = set()

    async def inspect(id_: ContainerId, **_: object) -> Observed:
        return Observed(
            id=id_, stored_name="x", image="", labels={}, running=id_ in running, paused=False,
            created_at=server.clock.now(), volumes=(STORED,), volume_folders={STORED: PLACE},
        )  # fmt: skip

    async def options(name: str) -> dict[str, str]:
        return {}

    monkeypatch.setattr(server.engine, "inspect", inspect)
    monkeypatch.setattr(server.engine, "volume_options", options)
    monkeypatch.setattr(server.engine, "up", running, raising=False)
    volume = Volume(id=STORED, uid=ALICE.uid, epoch=0, name="v", created_at=server.clock.now())
    await server.world.ledger.write(lambda books: books.put_volume(volume))
    return server


async def made(place: SimServer, name: str, *, root: bool, state: ContainerState = ContainerState.STOPPED) -> Container:
    one = replace(container(name), door=Door.DOCKER, forced_user=not root, state=state, lease=None, gpus=0)
    await place.world.ledger.write(lambda books: books.put_container(one))
    return one


async def became(place: SimServer, one: Container, state: ContainerState) -> None:
    await place.world.ledger.write(lambda books: books.put_container(replace(one, state=state)))


def granted(place: SimServer) -> set[ContainerId]:
    return {grant.container for grant in place.host.grants(FOLDER)}


async def test_one_that_her_shell_reached_is_in_none_with_root_any_more(place: SimServer) -> None:
    """She stopped the first one and kept an open folder of its volume."""
    hers, root = await made(place, "hers", root=False), await made(place, "root", root=True)
    await allow(place.world, ALICE, hers, taken=ExitStack())
    await became(place, hers, ContainerState.STOPPED)
    with pytest.raises(Ds01Error, match="was in a container of yours that runs as you"):
        await allow(place.world, ALICE, root, taken=ExitStack())
    await became(place, hers, ContainerState.REMOVED)
    place.host.withdraw(FOLDER, hers.id)
    with pytest.raises(Ds01Error, match="was in a container of yours that runs as you"):
        await allow(place.world, ALICE, root, taken=ExitStack())
    assert granted(place) == set()


async def test_it_is_read_from_the_containers_that_are_there_too(place: SimServer) -> None:
    """A DS01 of before, which left no marks."""
    hers, root = await made(place, "hers", root=False), await made(place, "root", root=True)
    await allow(place.world, ALICE, hers, taken=ExitStack())
    place.host.reached.clear()
    with pytest.raises(Ds01Error, match="was in a container of yours that runs as you"):
        await allow(place.world, ALICE, root, taken=ExitStack())


async def test_grants_of_containers_that_are_gone_say_nothing(
    place: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """The volume is a new one of the same name."""
    hers, root = await made(place, "hers", root=False), await made(place, "root", root=True)
    await allow(place.world, ALICE, hers, taken=ExitStack())
    await became(place, hers, ContainerState.REMOVED)
    place.host.take(f"/volumes/{STORED}")
    inspect = place.engine.inspect

    async def gone(id_: ContainerId) -> Observed | None:
        return None if id_ == hers.id else await inspect(id_)

    monkeypatch.setattr(place.engine, "inspect", gone)
    await allow(place.world, ALICE, root, taken=ExitStack())
    assert root.id in granted(place)


@pytest.mark.parametrize("known", [True, False])
async def test_what_the_ledger_forgets_of_a_volume_is_noted_at_the_volume(place: SimServer, known: bool) -> None:
    """It was not written down yet, or not any more, when hers started; for root it is."""
    hers, root = await made(place, "hers", root=False), await made(place, "root", root=True)
    volume = await place.world.ledger.read(lambda books: books.volume(STORED))
    assert volume is not None
    if not known:
        await place.world.ledger.write(lambda books: books.drop_volume(STORED))
    await allow(place.world, ALICE, hers, taken=ExitStack())
    await became(place, hers, ContainerState.REMOVED)
    place.host.withdraw(FOLDER, hers.id)
    await place.world.ledger.write(lambda books: books.drop_volume(STORED))
    await place.world.ledger.write(lambda books: books.put_volume(volume))
    with pytest.raises(Ds01Error, match="was in a container of yours that runs as you"):
        await allow(place.world, ALICE, root, taken=ExitStack())


async def test_a_guard_that_came_later_knows_of_what_was_before(place: SimServer) -> None:
    hers, root = await made(place, "hers", root=False), await made(place, "root", root=True)
    place.engine.guarding = None
    await allow(place.world, ALICE, hers, taken=ExitStack())
    place.engine.guarding = Guarding(folder=FOLDER, data_root="/var/lib/docker")
    with pytest.raises(Ds01Error, match="was in a container of yours that runs as you"):
        await allow(place.world, ALICE, root, taken=ExitStack())


async def test_one_that_nobody_knows_is_in_none_with_root(place: SimServer) -> None:
    root = await made(place, "root", root=True)
    await place.world.ledger.write(lambda books: books.drop_volume(STORED))
    with pytest.raises(Ds01Error, match="does not know the volume v, so no container with root"):
        await allow(place.world, ALICE, root, taken=ExitStack())


async def test_two_starts_at_once_do_not_meet(place: SimServer) -> None:
    hers, root = await made(place, "hers", root=False), await made(place, "root", root=True)
    found = await asyncio.gather(
        allow(place.world, ALICE, hers, taken=ExitStack()),
        allow(place.world, ALICE, root, taken=ExitStack()),
        return_exceptions=True,
    )
    assert [isinstance(each, Ds01Error) for each in found] == [False, True]
    assert granted(place) == {hers.id}


async def test_root_that_is_about_to_start_is_not_met(place: SimServer) -> None:
    hers, root = await made(place, "hers", root=False), await made(place, "root", root=True)
    await allow(place.world, ALICE, root, taken=ExitStack())
    caller = await identify(place.world, ALICE.uid)
    ticket = place.world.tickets.issue(caller, root, None, place.clock.monotonic())
    with pytest.raises(Ds01Error, match="in use by a container of yours of another kind"):
        await allow(place.world, ALICE, hers, taken=ExitStack())
    assert place.world.tickets.redeem(ticket.id, place.clock.monotonic())
    async with place.world.locks.hold(root.uid, root.name, "start"):
        with pytest.raises(Ds01Error, match="in use by a container of yours of another kind"):
            await allow(place.world, ALICE, hers, taken=ExitStack())
    assert granted(place) == {root.id}


async def test_root_that_runs_is_not_met_though_nobody_wrote_it_down(place: SimServer) -> None:
    """The engine started it again by itself. It may go on, and start again."""
    hers, root = await made(place, "hers", root=False), await made(place, "root", root=True)
    await allow(place.world, ALICE, root, taken=ExitStack())
    place.engine.up.add(root.id)  # type: ignore[attr-defined]
    with pytest.raises(Ds01Error, match="in use by a container of yours of another kind"):
        await allow(place.world, ALICE, hers, taken=ExitStack())
    assert granted(place) == {root.id}


async def test_root_that_stopped_does_not_come_back_by_itself(place: SimServer) -> None:
    """By its restart policy: the guard knows nothing of it any more."""
    hers, root = await made(place, "hers", root=False), await made(place, "root", root=True)
    await allow(place.world, ALICE, root, taken=ExitStack())
    await allow(place.world, ALICE, hers, taken=ExitStack())
    assert granted(place) == {hers.id}


def full(folder: str) -> None:
    raise Ds01Error(DISK_FULL, f"The volume in {folder} cannot be marked: No space left on device.")


async def test_where_there_is_nothing_to_note_a_full_disk_hinders_no_start(
    place: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = await made(place, "hers", root=False)
    await allow(place.world, ALICE, hers, taken=ExitStack())
    place.host.withdraw(FOLDER, hers.id)
    monkeypatch.setattr(place.host, "mark_reached", full)
    await allow(place.world, ALICE, hers, taken=ExitStack())
    assert granted(place) == {hers.id}


async def test_what_cannot_be_noted_is_not_granted(place: SimServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hers = await made(place, "hers", root=False)
    monkeypatch.setattr(place.host, "mark_reached", full)
    with pytest.raises(Ds01Error, match="No space left"):
        await allow(place.world, ALICE, hers, taken=ExitStack())
    assert granted(place) == set()


async def test_a_container_made_with_it_runs_as_her(place: SimServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    place.engine.guarding = Guarding(folder=FOLDER, data_root="/var/lib/docker")
    ask = DoorCreate(
        uid=ALICE.uid, name="web", image=MINIMAL, image_id=MINIMAL, door="docker",
        volumes=(DoorVolumeAsk(uid=ALICE.uid, name="w"),),
    )  # fmt: skip
    before = await grant(place.world, ask)
    place.host.mark_reached("/volumes/w._.1001/_data")
    after = await grant(place.world, replace(ask, name="other"))
    assert (before.force_user, after.force_user) == ("", f"{ALICE.uid}:{ALICE.gid}")


async def test_what_had_no_mark_has_one_before_its_grant_goes(
    place: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A DS01 of before left none: its container is removed before anybody asked for the volume with root."""
    hers, root = await made(place, "hers", root=False), await made(place, "root", root=True)
    await place.engine.create_volume(STORED, {}, {})
    await allow(place.world, ALICE, hers, taken=ExitStack())
    place.host.reached.clear()
    await became(place, hers, ContainerState.REMOVED)
    inspect = place.engine.inspect

    async def gone(id_: ContainerId, **_: object) -> Observed | None:
        return None if id_ == hers.id else await inspect(id_)

    monkeypatch.setattr(place.engine, "inspect", gone)

    def full(folder: str) -> None:
        raise Ds01Error(DISK_FULL, f"The volume in {folder} cannot be marked.")

    with monkeypatch.context() as patched:
        patched.setattr(place.host, "mark_reached", full)
        with pytest.raises(Ds01Error, match="cannot be marked"):
            await place.reconciler.round()
    assert hers.id in granted(place), "it is all there is to know it by"
    await place.reconciler.round()
    assert hers.id not in granted(place)
    await place.books(lambda books: books.put_container(root))
    with pytest.raises(Ds01Error, match="was in a container of yours that runs as you"):
        await allow(place.world, ALICE, root, taken=ExitStack())
