"""A writing keeps its names for as long as the gateway says that it goes on, also over a restart of ds01d."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ds01.domain.errors import DOOR_ANEW, Ds01Error
from ds01.domain.own_images import stored_image
from ds01.services import build_cache
from ds01.services.door import building, going_on, writing
from ds01.services.door.pinning import sweep
from ds01.services.image_tidy import Gone
from ds01.services.images import resolve
from ds01.services.tickets import LATE_SECONDS, WRITING_LIFE_SECONDS
from ds01.sim.facts import SimFacts
from ds01.wire.door import DoorBuild, DoorBuildGrant, DoorHeld, DoorTicket, DoorWrite, DoorWritten, Writing
from tests.server import ALICE, BOB, SimServer
from tests.unit.services.test_giving_way import REF, wrote

OF_BOB = stored_image(REF, BOB.uid)


def guard(server: SimServer) -> None:
    """BuildKit may be used."""
    facts = server.world.facts
    assert isinstance(facts, SimFacts)
    facts.guards[server.world.paths.engine.removeprefix("unix://")] = "/guard"


async def builds(server: SimServer, *, kit: bool = False) -> tuple[DoorBuildGrant, DoorHeld]:
    """Alice begins to build."""
    guard(server)
    grant = await building.grant(server.world, DoorBuild(uid=ALICE.uid, refs=(REF,), memory_bytes=0, buildkit=kit))
    assert grant.held is not None
    return grant, grant.held


async def bob_writes(server: SimServer) -> str:
    """The engine's name of what Bob writes under the same name."""
    ask = DoorWrite(uid=BOB.uid, what=Writing.TAG, refs=(REF,))
    grant = await writing.grant(server.world, ask)
    await writing.over(server.world, DoorWritten(ticket=grant.ticket, asked=ask, done=True))
    return grant.names.get(REF, REF)


def started_anew(server: SimServer) -> None:
    """ds01d was killed and is there again; nobody has told it anything."""
    server.restart()
    server.world.tickets.anew = True
    guard(server)


async def test_a_build_of_a_whole_day_keeps_its_names_until_its_gateway_is_gone(server: SimServer) -> None:
    _, held = await builds(server)
    for _ in range(30):
        await server.clock.advance(WRITING_LIFE_SECONDS - 1)
        await going_on.go_on(server.world, [held])
        await writing.lapse(server.world)
    assert await bob_writes(server) == OF_BOB
    await server.clock.advance(WRITING_LIFE_SECONDS + 1)
    await writing.lapse(server.world)
    assert await bob_writes(server) == REF


@pytest.mark.parametrize("kit", [False, True])
async def test_a_ds01d_that_was_started_anew_gives_nothing_away_before_it_has_heard(
    server: SimServer, kit: bool
) -> None:
    grant, held = await builds(server, kit=kit)
    started_anew(server)
    for asked in (bob_writes(server), building.over(server.world, DoorTicket(ticket=grant.ticket))):
        with pytest.raises(Ds01Error) as refused:
            await asked
        assert refused.value.kind is DOOR_ANEW
    await going_on.go_on(server.world, [held])
    assert await bob_writes(server) == OF_BOB
    image = server.engine.add_image(REF, labels=grant.labels)
    (shown,) = await building.over(server.world, DoorTicket(ticket=grant.ticket))
    assert shown.id == image
    found = await resolve(server.world, await server.caller(), REF)
    assert found is not None
    assert found.id == image


async def test_what_a_build_is_made_from_stays_over_a_restart_and_goes_with_it(server: SimServer) -> None:
    await wrote(server, ALICE)
    grant, held = await builds(server, kit=True)
    (pin,) = held.pins
    started_anew(server)
    await Gone().forget(server.world)
    assert await server.engine.image(pin) is not None
    await going_on.go_on(server.world, [held])
    await sweep(server.world)
    assert await server.engine.image(pin) is not None
    await building.over(server.world, DoorTicket(ticket=grant.ticket))
    assert await server.engine.image(pin) is None


async def test_a_name_that_somebody_else_has_got_meanwhile_stays_hers(server: SimServer) -> None:
    grant, held = await builds(server)
    started_anew(server)
    await going_on.go_on(server.world, [])
    ask = DoorWrite(uid=BOB.uid, what=Writing.LOAD, refs=(REF,))
    his = await writing.grant(server.world, ask)
    assert his.names == {}
    await going_on.go_on(server.world, [held])
    image = server.engine.add_image(REF, labels=grant.labels)
    assert await building.over(server.world, DoorTicket(ticket=grant.ticket)) == ()
    await writing.over(server.world, DoorWritten(ticket=his.ticket, asked=ask, done=True, images=(image,)))
    found = await resolve(server.world, await server.caller(BOB), REF)
    assert found is not None


async def test_what_is_over_does_not_go_on_because_that_was_said_late(server: SimServer) -> None:
    grant, held = await builds(server)
    await building.over(server.world, DoorTicket(ticket=grant.ticket))
    await going_on.go_on(server.world, [held])
    assert await bob_writes(server) == REF


async def test_what_a_former_owner_of_the_uid_began_is_not_taken_up(server: SimServer) -> None:
    _, held = await builds(server)
    started_anew(server)
    await going_on.go_on(server.world, [replace(held, epoch=0), replace(held, uid=4242)])
    assert server.world.tickets.being_written(server.clock.monotonic()) == frozenset()


@pytest.mark.parametrize("acts", [0, 1, 2])
async def test_a_build_that_ends_while_the_engine_is_away_is_written_down_when_it_is_back(
    server: SimServer, acts: int
) -> None:
    """And it counts as one build that is over, however often it is looked at: another of hers goes on."""
    await wrote(server, ALICE)
    other, _ = await builds(server, kit=True)
    await server.clock.advance(60)
    grant, held = await builds(server, kit=True)
    (pin,) = held.pins
    image = server.engine.add_image(REF, labels=grant.labels)
    server.engine.faults.away_after = acts
    assert await building.over(server.world, DoorTicket(ticket=grant.ticket)) == ()
    assert await windows(server) == [True, False]
    await server.clock.advance(LATE_SECONDS + 1)
    await writing.lapse(server.world)
    server.engine.come_back()
    assert await bob_writes(server) == OF_BOB
    await server.clock.advance(LATE_SECONDS + 1)
    await writing.lapse(server.world)
    await assert_one_of_two_is_written_down(server, image, pin, other)


@pytest.mark.parametrize("acts", range(4))
async def test_a_build_that_could_not_begin_ends_no_other_of_hers(server: SimServer, acts: int) -> None:
    await wrote(server, ALICE)
    await builds(server, kit=True)
    server.engine.faults.away_after = acts
    with pytest.raises(Ds01Error):
        await builds(server, kit=True)
    server.engine.come_back()
    assert (await windows(server)).count(False) == 1


async def assert_one_of_two_is_written_down(server: SimServer, image: str, pin: str, other: DoorBuildGrant) -> None:
    """The image is hers under its name, and what it was made from is kept until the other build is over, too."""
    found = await resolve(server.world, await server.caller(), REF)
    assert found is not None
    assert found.id == image
    assert await windows(server) == [True, False]
    await building.over(server.world, DoorTicket(ticket=other.ticket))
    assert await server.engine.image(pin) is None
    assert await windows(server) == [True, True]


async def windows(server: SimServer) -> list[bool]:
    """Of each build that BuildKit's cache knows of, whether it is over."""
    known = await server.world.ledger.read(build_cache.books_of)
    return [window.ended is not None for window in known.windows]
