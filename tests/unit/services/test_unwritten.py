"""What the ledger could not write down at the end of a writing is its writer's when that end is said again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

from ds01.domain.errors import DISK_FULL, LEDGER_ERROR, Ds01Error, ErrorKind
from ds01.domain.people import User
from ds01.ports.ledger import Books
from ds01.services.door import building, going_on, writing
from ds01.services.tickets import LATE_SECONDS, WRITING_LIFE_SECONDS
from ds01.sim.ledger import MemoryLedger
from ds01.wire.door import DoorImage, DoorTicket, DoorWrite, DoorWriteGrant, DoorWritten, Writing
from tests.server import ALICE, BOB, SimServer
from tests.unit.services.test_giving_way import REF, wrote
from tests.unit.services.test_going_on import OF_BOB, assert_one_of_two_is_written_down, bob_writes, builds, windows

T = TypeVar("T")


class Full(MemoryLedger):
    """A ledger that takes so many writes more; None: all."""

    left: int | None = None
    kind: ErrorKind = DISK_FULL

    async def write(self, work: Callable[[Books], T]) -> T:
        if self.left == 0:
            raise Ds01Error(self.kind, "Nothing new can be recorded.")
        self.left = None if self.left is None else self.left - 1
        return await super().write(work)


@pytest.fixture(params=[DISK_FULL, LEDGER_ERROR], ids=lambda kind: str(kind.code))
def ledger(request: pytest.FixtureRequest) -> Full:
    made = Full()
    made.kind = request.param
    return made


@pytest.fixture
async def server(tmp_path: Path, ledger: Full) -> SimServer:
    return await SimServer(run=tmp_path, ledger=ledger).open()


async def begins(server: SimServer, user: User, what: Writing) -> tuple[DoorWrite, DoorWriteGrant]:
    ask = DoorWrite(uid=user.uid, what=what, refs=(REF,))
    return ask, await writing.grant(server.world, ask)


async def test_what_could_not_be_granted_reserves_no_name(server: SimServer, ledger: Full) -> None:
    """The first grant of all writes the key down that its labels are sealed with."""
    await server.caller()
    ledger.left = 0
    with pytest.raises(Ds01Error):
        await begins(server, ALICE, Writing.PULL)
    assert not server.world.tickets.being_written(server.clock.monotonic())


async def owners(server: SimServer) -> set[int]:
    return {each.uid for each in await server.world.ledger.read(lambda books: books.ownerships())}


@pytest.mark.parametrize("what", [Writing.PULL, Writing.LOAD])
@pytest.mark.parametrize("done", [True, False])
async def test_what_came_is_hers_when_the_ledger_writes_again(
    server: SimServer, ledger: Full, what: Writing, done: bool
) -> None:
    ask, grant = await begins(server, ALICE, what)
    image = server.engine.add_image(REF)
    written = DoorWritten(ticket=grant.ticket, asked=ask, done=done, images=(image,))
    for _ in range(2):
        ledger.left = 0
        with pytest.raises(Ds01Error):
            await writing.over(server.world, written)
    ledger.left = None
    assert await bob_writes(server) == OF_BOB
    (shown,) = await writing.over(server.world, written)
    assert (shown.id, shown.owners) == (image, (f"{ALICE.uid}:1",))


async def test_a_pull_that_brought_nothing_new_is_written_down_as_well(server: SimServer, ledger: Full) -> None:
    for user in (ALICE, BOB):
        ask, grant = await begins(server, user, Writing.PULL)
        server.engine.add_image(REF) if user is ALICE else None
        ledger.left = 0
        await said_twice(server, ledger, DoorWritten(ticket=grant.ticket, asked=ask, done=True))
    assert await owners(server) == {ALICE.uid, BOB.uid}


async def said_twice(server: SimServer, ledger: Full, written: DoorWritten) -> tuple[DoorImage, ...]:
    """While it is full, and, a while after that, when there is room."""
    with pytest.raises(Ds01Error):
        await writing.over(server.world, written)
    ledger.left = None
    await server.clock.advance(60)
    await writing.lapse(server.world)
    return await writing.over(server.world, written)


async def test_a_name_that_was_pulled_is_closed_to_nobody(server: SimServer, ledger: Full) -> None:
    ask, grant = await begins(server, ALICE, Writing.PULL)
    server.engine.add_image(REF)
    ledger.left = 0
    with pytest.raises(Ds01Error):
        await writing.over(server.world, DoorWritten(ticket=grant.ticket, asked=ask, done=True))
    ledger.left = None
    await server.clock.advance(WRITING_LIFE_SECONDS + 1)
    await writing.lapse(server.world)
    _, his = await begins(server, BOB, Writing.PULL)
    assert his.names == {}
    assert await owners(server) == {ALICE.uid}


@pytest.mark.parametrize("writes", [0, 1])
async def test_a_build_is_hers_and_counts_as_one_that_is_over(server: SimServer, ledger: Full, writes: int) -> None:
    """However often its end is said: another of hers goes on."""
    await wrote(server, ALICE)
    other, _ = await builds(server, kit=True)
    await server.clock.advance(60)
    grant, held = await builds(server, kit=True)
    (pin,) = held.pins
    image = server.engine.add_image(REF, labels=grant.labels)
    for left in (writes, 0):
        ledger.left = left
        with pytest.raises(Ds01Error):
            await building.over(server.world, DoorTicket(ticket=grant.ticket))
    ledger.left = None
    await going_on.go_on(server.world, [held])
    assert await bob_writes(server) == OF_BOB
    shown = await building.over(server.world, DoorTicket(ticket=grant.ticket))
    assert image in {each.id for each in shown}
    await assert_one_of_two_is_written_down(server, image, pin, other)


@pytest.mark.parametrize("writes", range(5))
async def test_every_writing_that_nobody_ends_is_looked_at_until_all_is_written_down(
    server: SimServer, ledger: Full, writes: int
) -> None:
    """A build of BuildKit's and two loads whose gateway is gone, and a ledger that is full in between."""
    await wrote(server, ALICE)
    grant, held = await builds(server, kit=True)
    (pin,) = held.pins
    images = {}
    for ref in ("a:1", "b:1"):
        await writing.grant(server.world, DoorWrite(uid=BOB.uid, what=Writing.LOAD, refs=(ref,)))
        images[ref] = server.engine.add_image(ref)
    built = server.engine.add_image(REF, labels=grant.labels)
    await server.clock.advance(WRITING_LIFE_SECONDS + 1)
    ledger.left = writes
    with suppress(Ds01Error):
        await writing.lapse(server.world)
    ledger.left = None
    await server.clock.advance(LATE_SECONDS + 1)
    await writing.lapse(server.world)
    tags = await server.world.ledger.read(lambda books: {tag.ref: tag.image for tag in books.tags()})
    assert tags == {REF: built, **images}
    assert await server.engine.image(pin) is None
    assert await windows(server) == [True]
