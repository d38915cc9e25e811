"""Image names are reserved and recorded by one at a time: nobody waits for all that another asks for at once."""

from __future__ import annotations

import asyncio

import pytest

from ds01.domain.image import Image
from ds01.domain.people import User
from ds01.services.door import building, removing, writing
from ds01.services.tickets import LATE_SECONDS
from ds01.sim.engine import SimEngine
from ds01.wire.door import DoorBuild, DoorRemoved, DoorTicket, DoorWrite, DoorWritten, Writing
from tests.server import ALICE, BOB, SimServer

MANY = 200
SETTLED = 0.5
"""In which all wait for what they wait for."""
LOOKED = 20
"""More looks at single images than there may be for any number of names."""


async def tags(server: SimServer, user: User, image: str, name: str, done: list[str]) -> None:
    """She names an image, in two steps."""
    ask = DoorWrite(uid=user.uid, what=Writing.TAG, refs=(name,), image=image)
    granted = await writing.grant(server.world, ask)
    done.append(user.login)
    await writing.over(server.world, DoorWritten(ticket=granted.ticket, asked=ask, done=False, images=()))
    done.append(user.login)


async def test_one_tag_does_not_wait_for_a_thousand_of_another(
    server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, done, go, look = server.engine.add_image("mine:1"), list[str](), asyncio.Event(), SimEngine.image

    async def waits(self: SimEngine, reference: str) -> Image | None:
        await go.wait()
        return await look(self, reference)

    monkeypatch.setattr(SimEngine, "image", waits)
    hers = [asyncio.create_task(tags(server, ALICE, image, f"hers{n}:1", done)) for n in range(MANY)]
    await asyncio.sleep(SETTLED)
    his = asyncio.create_task(tags(server, BOB, image, "his:1", done))
    await asyncio.sleep(SETTLED)
    go.set()
    await his
    assert done.count("alice") < LOOKED
    await asyncio.gather(*hers)
    assert len(done) == 2 * (MANY + 1)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The single images that are looked at."""
    found, image = list[str](), SimEngine.image

    async def counted(self: SimEngine, reference: str) -> Image | None:
        found.append(reference)
        return await image(self, reference)

    monkeypatch.setattr(SimEngine, "image", counted)
    return found


async def test_thousands_of_names_are_looked_up_at_once(server: SimServer, looked: list[str]) -> None:
    """A load, a build and a prune: whoever comes next waits for none of them long."""
    refs = tuple(f"tool{n}:1" for n in range(MANY))
    ask = DoorWrite(uid=ALICE.uid, what=Writing.LOAD, refs=refs)
    granted = await writing.grant(server.world, ask)
    image = server.engine.add_image("tool:1")
    for ref in refs:
        server.engine.name_image(image, ref)
    written = DoorWritten(ticket=granted.ticket, asked=ask, done=True, images=(image,))
    (shown,) = await writing.over(server.world, written)
    assert set(refs) <= set(shown.refs)
    built = await building.grant(server.world, DoorBuild(uid=ALICE.uid, refs=refs, buildkit=False))
    await building.over(server.world, DoorTicket(ticket=built.ticket))
    gone = await removing.removed(server.world, DoorRemoved(uid=ALICE.uid, image=image, refs=refs))
    assert [each.id for each in gone] == [image]
    assert len(looked) < LOOKED
    assert await server.world.ledger.read(lambda books: len(books.tags(ALICE.uid))) == MANY


async def test_what_was_broken_off_is_looked_at_again_between_what_others_ask(server: SimServer) -> None:
    image, done = server.engine.add_image("mine:1"), list[str]()
    for number in range(MANY):
        await tags(server, ALICE, image, f"hers{number}:1", [])
    await server.clock.advance(LATE_SECONDS + 1)
    lapsing = asyncio.create_task(writing.lapse(server.world))
    await asyncio.sleep(0)
    await tags(server, BOB, image, "his:1", done)
    assert not lapsing.done()
    await lapsing
    assert server.world.tickets.being_written(server.clock.monotonic()) == {"his:1"}
