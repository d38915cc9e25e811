"""What the engine put into a container's new volumes is its owner's before anything can run on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event

import pytest

from ds01.domain.container import Container, ContainerId, ContainerState, Observed
from ds01.domain.errors import ENGINE_DOWN, NAME_TAKEN, NO_CONTAINER, Ds01Error
from ds01.domain.labels import Label
from ds01.domain.people import User
from ds01.ports.ledger import Books
from ds01.services.door.create import grant
from ds01.services.door.redeem import commit
from ds01.services.door.start import start
from ds01.wire.door import DoorCommit, DoorCreate, DoorMade, DoorStart
from tests.server import ALICE, MINIMAL, SimServer
from tests.values import container

CREATE = DoorCreate(
    uid=ALICE.uid, name="web", image=MINIMAL, image_id=MINIMAL, door="docker", user=str(ALICE.uid), gpus="1",
    anonymous=1,
)  # fmt: skip
ID = ContainerId("c" * 64)
VOLUME = "ab" * 32
LATER_SECONDS = 3600


@dataclass
class Slow:
    """Handing over takes until it may be over; what then happens may fail."""

    may_end: Event = field(default_factory=Event)
    begun: Event = field(default_factory=Event)
    fault: Exception | None = None

    def over(self, hand_over: Callable[[User, str], None]) -> Callable[[User, str], None]:
        def slowly(user: User, folder: str) -> None:
            self.begun.set()
            self.may_end.wait()
            if self.fault is not None:
                raise self.fault
            hand_over(user, folder)

        return slowly


@pytest.fixture
def slow(server: SimServer, monkeypatch: pytest.MonkeyPatch) -> Slow:
    """The engine has made the container with a volume of its image."""

    async def inspect(id_: ContainerId, **_: object) -> Observed:
        if server.engine.faults.away:
            raise Ds01Error(ENGINE_DOWN, "The engine is away.")
        return Observed(
            id=id_, stored_name=f"web._.{ALICE.uid}", image="", running=False, paused=False,
            labels={Label.OWNER: str(ALICE.uid), Label.NAME: "web", Label.DOOR: "docker"},
            created_at=server.clock.now(), volumes=(VOLUME,), volume_folders={VOLUME: "/volumes/ab"},
        )  # fmt: skip

    found = Slow()
    monkeypatch.setattr(server.engine, "inspect", inspect)
    monkeypatch.setattr(server.host, "hand_over", found.over(server.host.hand_over))
    return found


async def committing(server: SimServer, slow: Slow) -> asyncio.Task[DoorMade]:
    given = await grant(server.world, CREATE)
    task = asyncio.create_task(commit(server.world, DoorCommit(ticket=given.ticket, id=ID)))
    await asyncio.to_thread(slow.begun.wait)
    return task


def another(made: Container, books: Books) -> None:
    books.put_container(made)


async def known(server: SimServer) -> tuple[bool, bool]:
    """Whether the ledger has the container, and the volume."""
    return await server.world.ledger.read(
        lambda books: (books.container(ID) is not None, books.volume(VOLUME) is not None)
    )


async def test_nothing_starts_on_a_volume_that_is_not_handed_over_yet(server: SimServer, slow: Slow) -> None:
    task = await committing(server, slow)
    try:
        with pytest.raises(Ds01Error) as error:
            await start(server.world, DoorStart(uid=ALICE.uid, id=ID))
        assert error.value.kind is NO_CONTAINER
        assert await known(server) == (False, False)
    finally:
        slow.may_end.set()
    made = await task
    assert [volume.id for volume in made.volumes] == [VOLUME]
    assert (server.host.handed["/volumes/ab"], await known(server)) == (ALICE.uid, (True, True))
    assert (await start(server.world, DoorStart(uid=ALICE.uid, id=ID))).ticket


async def test_meanwhile_its_name_is_taken_and_the_reconciler_leaves_it_alone(server: SimServer, slow: Slow) -> None:
    task = await committing(server, slow)
    try:
        assert [c.name for c in server.world.tickets.creating(ALICE.uid)] == ["web"]
        await server.clock.advance(LATER_SECONDS)
        await server.reconciler.look(ID)
        assert await known(server) == (False, False)
    finally:
        slow.may_end.set()
    await task
    made = await server.container("web")
    assert made is not None
    assert made.state is ContainerState.CREATING


@pytest.mark.parametrize("fault", [OSError("no such folder"), Ds01Error(NAME_TAKEN, "No.")])
async def test_f3_what_cannot_be_handed_over_keeps_no_gpu(server: SimServer, slow: Slow, fault: Exception) -> None:
    slow.fault = fault
    slow.may_end.set()
    task = await committing(server, slow)
    with pytest.raises(type(fault)):
        await task
    assert (await known(server), await server.leases()) == ((False, False), ())


async def test_f3_an_engine_that_goes_away_then_keeps_no_gpu(server: SimServer, slow: Slow) -> None:
    given = await grant(server.world, CREATE)
    server.engine.go_away()
    with pytest.raises(Ds01Error):
        await commit(server.world, DoorCommit(ticket=given.ticket, id=ID))
    assert (await known(server), await server.leases()) == ((False, False), ())


async def test_d9_volumes_of_one_that_could_not_be_recorded_are_hers_while_they_are_there(
    server: SimServer, slow: Slow
) -> None:
    """The gateway removes the container, and with it the volume, if it can."""
    slow.may_end.set()
    given = await grant(server.world, CREATE)
    for name in ("a", "b", "c"):
        await server.books(partial(another, replace(container(name), uid=ALICE.uid)))
    with pytest.raises(Ds01Error, match="3 of 3 containers"):
        await commit(server.world, DoorCommit(ticket=given.ticket, id=ID))
    assert (await known(server), await server.leases()) == ((False, True), ())
