"""Events, why and the doctor over the API: identity, filters, following."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI

from ds01.api.app import with_world
from ds01.config.current import CurrentLimits
from ds01.domain.container import ContainerState, StopReason
from ds01.domain.events import Event, EventType
from ds01.domain.people import Account, Uid, User
from ds01.ports.ledger import Books
from ds01.services.world import Paths, World
from ds01.sim.clock import SimClock
from ds01.sim.devices import SimDevices
from ds01.sim.directory import SimDirectory
from ds01.sim.engine import SimEngine
from ds01.sim.facts import SimFacts
from ds01.sim.fence import SimFence
from ds01.sim.host import SimHost
from ds01.sim.ledger import MemoryLedger
from ds01.sim.meters import SimMeters
from ds01.wire.pages import ROWS
from tests.api.call import get, stream
from tests.values import ALICE, BOB, NOW, container

ROOT = User(uid=Uid(0), gid=0, login="root", home="/root")


@pytest.fixture
async def world(tmp_path: Path) -> World:
    clock = SimClock(NOW)
    made = World(
        engine=SimEngine(clock), devices=SimDevices(["a100-40gb"], run=tmp_path, clock=clock), ledger=MemoryLedger(),
        directory=SimDirectory([ALICE, BOB, ROOT]), host=SimHost(), facts=SimFacts(), fence=SimFence(), clock=clock,
        meters=SimMeters(clock=clock),
        policy=CurrentLimits(tmp_path / "limits.yaml"),
        paths=Paths(
            state=tmp_path, run=tmp_path, limits=tmp_path / "limits.yaml", gateway=tmp_path / "docker.sock",
            engine="unix:///run/engine.sock",
        ),
    )  # fmt: skip

    def fill(books: Books) -> None:
        for user in (ALICE, BOB, ROOT):
            books.put_account(Account(uid=user.uid, login=user.login, epoch=1))
        stopped = container("thesis", state=ContainerState.STOPPED)
        books.put_container(replace(stopped, stopped_at=NOW, reason=StopReason.OOM, reason_detail="1/2"))
        for user in (ALICE, BOB):
            books.record(paused(user))

    await made.ledger.write(fill)
    return made


def paused(user: User) -> Event:
    return Event(
        at=NOW, type=EventType.CONTAINER_PAUSED, actor=user.uid, uid=user.uid, subject=container("thesis").id,
        details={"name": f"of-{user.uid}"},
    )  # fmt: skip


@pytest.fixture
def app(world: World, routes: FastAPI) -> FastAPI:
    return with_world(routes, world, frozenset({0}))


async def test_o17_everybody_sees_her_own_events(app: FastAPI) -> None:
    mine = await get(app, "/v1/events", uid=ALICE.uid)
    assert [event["text"] for event in mine.body] == ["you paused of-1001."]
    all_of_them = await get(app, "/v1/events", uid=ALICE.uid, all=1)
    assert (all_of_them.status, all_of_them.body["error"]["code"]) == (403, "admin.only")
    his = await get(app, "/v1/events", uid=ALICE.uid, user=BOB.login)
    assert his.body["error"]["code"] == "admin.only"


async def test_admins_see_everybodys_or_one_persons(app: FastAPI) -> None:
    assert len((await get(app, "/v1/events", uid=0, all=1)).body) == 2
    his = await get(app, "/v1/events", uid=0, user=BOB.login)
    assert [event["text"] for event in his.body] == [f"{BOB.login} paused of-{BOB.uid}."]


@pytest.mark.parametrize(
    ("query", "code"),
    [({"type": "containr"}, "request.invalid"), ({"since": "soon"}, "request.invalid"),
     ({"limit": 0}, "request.invalid"), ({"after": "x"}, "request.invalid"),
     ({"limit": ROWS + 1}, "request.invalid"), ({"before": 0}, "request.invalid")],
)  # fmt: skip
async def test_a_bad_filter_is_told(app: FastAPI, query: dict[str, str | int], code: str) -> None:
    found = await get(app, "/v1/events", uid=ALICE.uid, **query)
    assert (found.status, found.body["error"]["code"]) == (400, code)


async def test_paging_begins_with_the_first(app: FastAPI) -> None:
    (first,) = (await get(app, "/v1/events", uid=0, all=1, limit=1, after=0)).body
    assert (first["seq"], first["uid"], first["actor_uid"]) == (1, ALICE.uid, ALICE.uid)
    (latest,) = (await get(app, "/v1/events", uid=0, all=1, limit=1)).body
    assert latest["seq"] == 2
    (earlier,) = (await get(app, "/v1/events", uid=0, all=1, limit=1, before=2)).body
    assert earlier["seq"] == 1


@pytest.mark.parametrize("damage", [(), ("event 2 (container.paused, x) is not as DS01 wrote it",)])
async def test_admins_have_the_whole_record_verified(app: FastAPI, world: World, damage: tuple[str, ...]) -> None:
    assert isinstance(world.ledger, MemoryLedger)
    world.ledger.damage = damage
    found = (await get(app, "/v1/admin/events/verify", uid=0)).body
    assert (found["sound"], found["wrong"]) == (not damage, "".join(damage))
    refused = await get(app, "/v1/admin/events/verify", uid=ALICE.uid)
    assert (refused.status, refused.body["error"]["code"]) == (403, "admin.only")


async def test_following_is_a_line_per_event(app: FastAPI, world: World) -> None:
    pieces = stream(app, "/v1/events", uid=ALICE.uid, query={"follow": 1})
    assert await anext(pieces) == b"200"
    assert json.loads(await anext(pieces))["seq"] == 1
    await world.ledger.write(lambda books: books.record(paused(ALICE)))
    line = await anext(pieces)
    assert (json.loads(line)["seq"], line[-1:]) == (3, b"\n")
    await pieces.aclose()


async def test_e6_why_is_for_the_owner_and_admins(app: FastAPI) -> None:
    mine = await get(app, "/v1/containers/thesis/why", uid=ALICE.uid)
    assert "out of memory" in mine.body["summary"]
    assert mine.body["entries"][0]["what"] == "you paused of-1001."
    assert (await get(app, "/v1/containers/thesis/why", uid=BOB.uid)).status == 404
    assert (await get(app, "/v1/containers/thesis/why", uid=0, user="alice")).body["reason"].startswith("out of memory")


async def test_the_doctor_answers_everybody(app: FastAPI) -> None:
    for uid in (ALICE.uid, 0):
        found = await get(app, "/v1/doctor", uid=uid)
        assert found.status == 200
        assert "gateway" in {check["name"] for check in found.body["checks"]}
        assert found.body["healthy"] is False
