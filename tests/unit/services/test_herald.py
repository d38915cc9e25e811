"""Turns are told to those who do not wait with an open connection: once, by every channel, also after a restart."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import pytest

from ds01.domain.lifecycle.case import Level
from ds01.services import notices
from ds01.services.launch import claim
from ds01.services.queue.give_up import give_up
from ds01.services.queue.herald import AGAIN_SECONDS, PERIOD_SECONDS, Herald
from ds01.services.remove import remove
from ds01.services.steps import Abandoned, Steps
from tests.server import ALICE, BOB, SimServer, settings


@pytest.fixture
async def turned(server: SimServer) -> SimServer:
    """Alice asked to wait and went away; then all GPUs came free."""
    server.policy.settings = settings(gpus__max=Fraction(4))
    await server.launch(BOB, "one", gpus="2")
    await server.launch(BOB, "two", gpus="2")
    left = asyncio.Event()
    waits = await server.waits(ALICE, gpus="2", steps=Steps(server.clock, left=left), stays=True)
    left.set()
    with pytest.raises(Abandoned):
        await waits
    await remove(server.world, await server.caller(BOB), "one", force=True)
    await server.turns.take()
    return server


async def told(server: SimServer) -> list[tuple[str, str]]:
    return [(letter.level.value, letter.title) for letter in server.terminals.letters]


async def test_her_turn_is_told_once_with_what_to_type(turned: SimServer) -> None:
    herald = Herald(turned.world)
    await herald.look()
    await herald.look()
    (letter,) = turned.terminals.letters
    assert letter.user == ALICE
    assert letter.level is Level.WARNING
    assert letter.title.startswith("Your turn: 2 GPUs are kept for thesis until ")
    assert "ds01 claim thesis" in letter.text
    assert "ds01 cancel thesis" in letter.text
    (notice,) = await notices.mine(turned.world, await turned.caller())
    assert notice.acts_at is not None
    assert "notice.delivered" in await turned.events()


async def test_a_ds01d_that_dies_in_between_tells_it_when_it_is_back(turned: SimServer) -> None:
    turned.restart()
    await Herald(turned.world).look()
    await Herald(turned.world).look()
    assert len(turned.terminals.letters) == 1


async def test_who_is_at_it_is_not_told(turned: SimServer) -> None:
    async with turned.world.locks.hold(ALICE.uid, "thesis", "claim"):
        await Herald(turned.world).look()
    assert turned.terminals.letters == []


async def test_claimed_it_is_over(turned: SimServer) -> None:
    herald = Herald(turned.world)
    await herald.look()
    await claim(turned.world, await turned.caller(), "thesis", Steps(turned.clock))
    await herald.look()
    assert await notices.mine(turned.world, await turned.caller()) == ()
    assert len(turned.terminals.letters) == 1


async def test_given_up_it_is_over_and_she_knows(turned: SimServer) -> None:
    herald = Herald(turned.world)
    await herald.look()
    await give_up(turned.world, await turned.caller(), "thesis")
    await herald.look()
    assert await notices.mine(turned.world, await turned.caller()) == ()
    assert len(turned.terminals.letters) == 1


async def test_a_turn_nobody_claimed_is_told_as_well(turned: SimServer) -> None:
    herald = Herald(turned.world)
    await herald.look()
    await turned.expire(11)
    await herald.look()
    await herald.look()
    _, (level, title) = await told(turned)
    assert level == "notice"
    assert "nobody claimed it in time" in title
    assert "ds01 launch thesis --wait" in turned.terminals.letters[-1].text


async def test_what_reached_nobody_is_told_again(turned: SimServer) -> None:
    turned.terminals.open = False
    herald = Herald(turned.world)
    await herald.look()
    turned.terminals.open = True
    await turned.clock.advance(PERIOD_SECONDS)
    await herald.look()
    assert await told(turned) == []
    await turned.clock.advance(AGAIN_SECONDS)
    await herald.look()
    await turned.clock.advance(AGAIN_SECONDS)
    await herald.look()
    assert len(await told(turned)) == 1
