"""A name that one user wrote and another pulls: the registry's for all, the first one's for her, and nobody waits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ds01.domain.errors import NAME_TAKEN, Ds01Error
from ds01.domain.image import ImageId, Provenance, Tag
from ds01.domain.own_images import stored_image
from ds01.domain.people import Uid, User
from ds01.services.door import building, writing
from ds01.services.images import resolve
from ds01.services.tickets import LATE_SECONDS
from ds01.wire.door import DoorBuild, DoorTicket, DoorWrite, DoorWriteGrant, DoorWritten, Writing
from tests.server import ALICE, BOB, SimServer

REF = "lab:5000/tool:1"
OF_ALICE = stored_image(REF, ALICE.uid)
CARL = User(uid=Uid(1003), gid=1003, login="carl", home="/home/carl", gids=frozenset({1003}))


@pytest.fixture(autouse=True)
def three(server: SimServer) -> None:
    """One more user."""
    server.directory.add(CARL)


async def wrote(server: SimServer, user: User, ref: str = REF) -> ImageId:
    """The user loads an image under this name."""
    ask = DoorWrite(uid=user.uid, what=Writing.LOAD, refs=(ref,))
    grant = await writing.grant(server.world, ask)
    stored = grant.names.get(ref, ref)
    image = server.engine.add_image(stored)
    await over(server, grant, replace(ask, refs=(stored,)), image)
    return image


async def over(server: SimServer, grant: DoorWriteGrant, ask: DoorWrite, *images: ImageId, done: bool = True) -> None:
    await writing.over(server.world, DoorWritten(ticket=grant.ticket, asked=ask, done=done, images=images))


async def pulling(
    server: SimServer, user: User, ref: str = REF, *, private: bool = False
) -> tuple[DoorWriteGrant, DoorWrite]:
    """A pull begins."""
    ask = DoorWrite(uid=user.uid, what=Writing.PULL, refs=(ref,), private=private)
    return await writing.grant(server.world, ask), ask


async def pulled(server: SimServer, user: User, ref: str = REF, *, private: bool = False) -> ImageId:
    """The user pulls what is in the registry."""
    grant, ask = await pulling(server, user, ref, private=private)
    image = server.engine.add_image(REF)
    await over(server, grant, ask)
    return image


async def means(server: SimServer, user: User, ref: str = REF) -> ImageId | None:
    found = await resolve(server.world, await server.caller(user), ref)
    return found.id if found is not None else None


async def tag(server: SimServer, ref: str) -> Tag | None:
    return await server.world.ledger.read(lambda books: books.tag(ref))


async def tagged(server: SimServer, ref: str) -> ImageId | None:
    found = await server.engine.image(ref)
    return found.id if found is not None else None


async def later(server: SimServer) -> None:
    await server.clock.advance(LATE_SECONDS + 1)
    await writing.lapse(server.world)


@pytest.mark.parametrize("ref", [REF, "lab:5000/tool:*"])
@pytest.mark.parametrize("private", [False, True])
async def test_who_wrote_a_name_has_it_still_and_who_pulls_has_the_registrys(
    server: SimServer, ref: str, private: bool
) -> None:
    hers = await wrote(server, ALICE)
    theirs = await pulled(server, BOB, ref, private=private)
    assert (await means(server, ALICE), await means(server, BOB)) == (hers, theirs)
    assert await means(server, CARL) == (None if private else theirs)
    assert await tag(server, OF_ALICE) == Tag(ref=OF_ALICE, image=hers, provenance=Provenance.USER, owner=ALICE.uid)
    again = await wrote(server, ALICE)
    assert (await means(server, ALICE), await means(server, BOB)) == (again, theirs)
    await later(server)
    assert (await means(server, ALICE), await means(server, BOB)) == (again, theirs)


async def test_she_has_it_at_every_moment_of_the_pull(server: SimServer) -> None:
    hers = await wrote(server, ALICE)
    grant, ask = await pulling(server, BOB)
    assert (await means(server, ALICE), await means(server, BOB)) == (hers, None)
    theirs = server.engine.add_image(REF)
    assert (await means(server, ALICE), await means(server, BOB)) == (hers, None)
    await over(server, grant, ask)
    assert (await means(server, ALICE), await means(server, BOB)) == (hers, theirs)


async def test_a_pull_that_brings_nothing_leaves_everything_as_it_was(server: SimServer) -> None:
    hers = await wrote(server, ALICE)
    grant, ask = await pulling(server, BOB)
    await over(server, grant, ask, done=False)
    assert await means(server, ALICE) == hers
    await later(server)
    assert (await means(server, ALICE), await means(server, BOB)) == (hers, None)
    assert (await tagged(server, REF), await tagged(server, OF_ALICE)) == (hers, None)
    assert await tag(server, OF_ALICE) is None


async def test_what_she_wrote_meanwhile_is_what_she_has_when_it_brings_nothing(server: SimServer) -> None:
    await wrote(server, ALICE)
    grant, ask = await pulling(server, BOB)
    newer = await wrote(server, ALICE)
    await over(server, grant, ask, done=False)
    await later(server)
    assert await means(server, ALICE) == newer
    assert (await tagged(server, REF), await tagged(server, OF_ALICE)) == (None, newer)
    assert await tag(server, REF) is None


async def test_a_pull_that_came_late_brings_what_it_brought(server: SimServer) -> None:
    hers = await wrote(server, ALICE)
    grant, ask = await pulling(server, BOB)
    await over(server, grant, ask, done=False)
    theirs = server.engine.add_image(REF)
    await later(server)
    assert (await means(server, ALICE), await means(server, BOB)) == (hers, theirs)


async def test_of_two_pulls_the_one_that_brings_nothing_takes_nothing_back(server: SimServer) -> None:
    hers = await wrote(server, ALICE)
    first, ask = await pulling(server, BOB)
    second, other = await pulling(server, CARL)
    await over(server, first, ask, done=False)
    await later(server)
    theirs = server.engine.add_image(REF)
    await over(server, second, other)
    assert (await means(server, ALICE), await means(server, CARL)) == (hers, theirs)


@pytest.mark.parametrize("order", ["pull first", "write first", "pull in between"])
async def test_what_is_being_written_gives_way_and_is_hers(server: SimServer, order: str) -> None:
    ask = DoorWrite(uid=ALICE.uid, what=Writing.LOAD, refs=(REF,))
    mine = await writing.grant(server.world, ask)
    grant, pull = await pulling(server, BOB)
    if order == "pull first":
        theirs = server.engine.add_image(REF)
        await over(server, grant, pull)
        hers = server.engine.add_image(REF)
        await over(server, mine, ask, hers)
    elif order == "write first":
        hers = server.engine.add_image(REF)
        await over(server, mine, ask, hers)
        assert await tagged(server, REF) is None
        theirs = server.engine.add_image(REF)
        await over(server, grant, pull)
    else:
        hers = server.engine.add_image(REF)
        theirs = server.engine.add_image(REF)
        await over(server, grant, pull)
        await over(server, mine, ask, hers)
    assert (await tagged(server, REF), await means(server, BOB)) == (theirs, theirs)
    if order != "pull in between":
        assert await means(server, ALICE) == hers
    found = await tag(server, REF)
    assert found is not None
    assert (found.image, found.provenance, found.owner) == (theirs, Provenance.REGISTRY, None)


async def test_a_build_gives_way_as_well_and_takes_nothing_that_is_not_its_own(server: SimServer) -> None:
    grant = await building.grant(server.world, DoorBuild(uid=ALICE.uid, refs=(REF,), memory_bytes=0))
    theirs = await pulled(server, BOB, private=True)
    await building.over(server.world, DoorTicket(ticket=grant.ticket))
    assert (await means(server, ALICE), await means(server, BOB)) == (None, theirs)
    grant = await building.grant(server.world, DoorBuild(uid=CARL.uid, refs=("lab:5000/other:1",), memory_bytes=0))
    await pulling(server, BOB, "lab:5000/other:1")
    hers = server.engine.add_image("lab:5000/other:1", labels=grant.labels)
    (shown,) = await building.over(server.world, DoorTicket(ticket=grant.ticket))
    assert shown.refs == {stored_image("lab:5000/other:1", CARL.uid): f"{CARL.uid}:1"}
    assert await means(server, CARL, "lab:5000/other:1") == hers
    assert await tagged(server, "lab:5000/other:1") is None


async def test_a_pull_of_her_own_is_what_her_name_means_then(server: SimServer) -> None:
    await wrote(server, ALICE)
    await pulled(server, BOB)
    theirs = await pulled(server, ALICE)
    assert (await means(server, ALICE), await means(server, BOB)) == (theirs, theirs)
    assert await tagged(server, OF_ALICE) is None
    assert await tag(server, OF_ALICE) is None


async def test_what_root_put_there_is_not_pulled_over(server: SimServer) -> None:
    server.engine.add_image(REF)
    with pytest.raises(Ds01Error) as refused:
        await pulling(server, BOB)
    assert refused.value.kind is NAME_TAKEN
