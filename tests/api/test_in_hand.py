"""What ds01d does for one user of the gateway at once has an end: nobody fills it with requests that hang."""

from __future__ import annotations

import asyncio

import pytest

from ds01.domain.errors import SILENT
from ds01.services.fairness import MOST_IN_HAND
from tests.api.conftest import Answer, Api
from tests.server import ALICE, BOB

GATEWAY = 998


@pytest.fixture
async def hanging(api: Api) -> list[asyncio.Task[Answer]]:
    """Alice sends as many signals as she may to a container that does not answer."""
    made = await api.server.launch()
    api.server.engine.faults.silent = (api.server.engine.spec(made.id).name,)
    ask = {"uid": ALICE.uid, "id": made.id, "what": "kill", "signal": "USR1"}
    tasks = [asyncio.create_task(api.post("/v1/door/gone", ask, uid=GATEWAY)) for _ in range(MOST_IN_HAND)]
    async with asyncio.timeout(60):
        while api.app.state.in_hand.number(ALICE.uid) < MOST_IN_HAND:
            await asyncio.sleep(0.01)
    assert not any(task.done() for task in tasks)
    return tasks


async def test_more_than_that_is_refused_with_a_sentence_and_others_go_on(
    api: Api, hanging: list[asyncio.Task[Answer]]
) -> None:
    one_more = await api.post("/v1/door/volumes", {"uid": ALICE.uid, "name": "mine"}, uid=GATEWAY)
    assert (one_more.status, one_more.error["code"]) == (429, "requests.many")
    assert one_more.error["message"]
    assert one_more.error["hint"]
    assert (await api.get(f"/v1/door/users/{ALICE.uid}/room", uid=GATEWAY)).status == 429
    theirs = await api.post("/v1/door/volumes", {"uid": BOB.uid, "name": "mine"}, uid=GATEWAY)
    assert theirs.status == 200
    removed = {"uid": ALICE.uid, "id": "f" * 64, "what": "removed"}
    assert (await api.post("/v1/door/gone", removed, uid=GATEWAY)).status == 404, "what is over is always heard"
    while not all(task.done() for task in hanging):
        await asyncio.sleep(0.01)
        await api.server.clock.advance(1)
    assert {(await task).error["code"] for task in hanging} == {SILENT.code}
    again = await api.post("/v1/door/volumes", {"uid": ALICE.uid, "name": "mine"}, uid=GATEWAY)
    assert again.status == 200


async def test_who_nobody_asks_for_is_not_counted(api: Api) -> None:
    assert (await api.call("POST", "/v1/door/gone", GATEWAY, raw=b"[]")).status == 400
    assert (await api.call("POST", "/v1/door/gone", GATEWAY, raw=b"{")).status == 400
