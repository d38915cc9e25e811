"""What could not be given is on record, for whoever asks why, and fills no ledger."""

from __future__ import annotations

import pytest

from ds01.domain import errors
from ds01.domain.errors import LEDGER_ERROR, Ds01Error
from ds01.domain.events import EventType
from ds01.services.denied import APART, MOST
from ds01.services.why import why
from ds01.sim.ledger import MemoryLedger
from tests.server import ALICE, SimServer, settings

DENIED = EventType.REQUEST_DENIED.value


async def refused(server: SimServer, name: str = "thesis", gpus: str = "3") -> Ds01Error:
    with pytest.raises(Ds01Error) as caught:
        await server.launch(name=name, gpus=gpus)
    return caught.value


async def denials(server: SimServer) -> int:
    return (await server.events()).count(DENIED)


async def test_e6_a_refusal_is_part_of_the_containers_story(server: SimServer) -> None:
    server.policy.settings = settings(containers=1)
    made = await server.launch()
    error = await refused(server, name="second", gpus="1")
    assert error.kind is errors.CONTAINER_QUOTA
    with pytest.raises(Ds01Error):
        await server.launch(recreate=True, gpus="3")
    told = await why(server.world.ledger, uid=ALICE.uid, epoch=1, name=made.name, viewer=ALICE.uid)
    (entry,) = [entry for entry in told.entries if "could not be given" in entry.what]
    assert entry.what.startswith("you asked for something that could not be given: ")
    assert await denials(server) == 2


async def test_asking_again_at_once_is_no_news(server: SimServer) -> None:
    for _ in range(3):
        await refused(server)
    assert await denials(server) == 1
    await server.clock.advance(APART.total_seconds() + 1)
    await refused(server)
    assert await denials(server) == 2


async def test_p17_one_user_fills_no_ledger_with_refusals(server: SimServer) -> None:
    for number in range(MOST + 5):
        await refused(server, name=f"run-{number}")
    assert await denials(server) == MOST


async def test_a_slip_of_the_pen_is_nobodys_business(server: SimServer) -> None:
    assert (await refused(server, gpus="many")).kind is errors.BAD_REQUEST
    assert await denials(server) == 0


async def test_a_ledger_that_cannot_be_written_changes_no_answer(server: SimServer) -> None:
    server.policy.settings = settings(containers=1)
    await server.launch()
    ledger = server.world.ledger
    assert isinstance(ledger, MemoryLedger)
    ledger.fault = Ds01Error(LEDGER_ERROR, "The disk of the ledger is full.")
    assert (await refused(server, name="second", gpus="0")).kind is errors.CONTAINER_QUOTA
