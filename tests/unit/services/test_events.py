"""Reading events: one's own, all for admins, as they come."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from ds01.domain.errors import ADMIN_ONLY, BAD_REQUEST, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.people import Account, Uid
from ds01.ports.ledger import Books
from ds01.services.events import Query, Viewer, follow, read, since, types
from ds01.sim.ledger import MemoryLedger
from ds01.wire.pages import ROWS
from tests.values import ALICE, BOB, NOW

ME = Viewer(uid=ALICE.uid)
ADMIN = Viewer(uid=Uid(5), admin=True)
MINE = Query(uid=ALICE.uid)
ALL = Query(uid=None)


def paused(name: str, uid: Uid | None = ALICE.uid, actor: Uid | None = ALICE.uid) -> Event:
    return Event(
        at=NOW, type=EventType.CONTAINER_PAUSED, actor=actor, uid=uid, subject="a" * 64, details={"name": name}
    )


async def ledger_with(*events: Event) -> MemoryLedger:
    ledger = MemoryLedger()
    await record(ledger, *events)
    return ledger


async def record(ledger: MemoryLedger, *events: Event) -> None:
    def work(books: Books) -> None:
        for user in (ALICE, BOB):
            books.put_account(Account(uid=user.uid, login=user.login, epoch=1))
        for event in events:
            books.record(event)

    await ledger.write(work)


async def test_users_see_their_own_events_with_sentences() -> None:
    ledger = await ledger_with(paused("mine"), paused("his", BOB.uid, BOB.uid), paused("ours", actor=None))
    found = await read(ledger, ME, MINE)
    assert [event.text for event in found] == ["you paused mine.", "DS01 paused ours."]
    assert (found[0].actor, found[0].user, found[0].type, found[0].seq) == ("alice", "alice", "container.paused", 1)


@pytest.mark.parametrize("query", [ALL, Query(uid=BOB.uid)])
async def test_o17_other_peoples_events_are_for_admins(query: Query) -> None:
    ledger = await ledger_with(paused("mine"), paused("his", BOB.uid, BOB.uid))
    with pytest.raises(Ds01Error) as caught:
        await read(ledger, ME, query)
    assert caught.value.kind is ADMIN_ONLY
    assert [event.text for event in await read(ledger, ADMIN, ALL)] == [
        "alice paused mine.", "h.baker@lab.lan paused his.",
    ]  # fmt: skip


async def test_s13_a_new_owner_of_a_uid_sees_nothing_of_the_former_one() -> None:
    changed = Event(at=NOW, type=EventType.ACCOUNT_CHANGED, actor=None, uid=None, subject=str(ALICE.uid))
    ledger = await ledger_with(paused("former"), changed, paused("new"))
    assert [event.details["name"] for event in await read(ledger, ME, MINE)] == ["new"]
    assert [event.details["name"] for event in await read(ledger, ME, Query(uid=ALICE.uid, after=1))] == ["new"]
    everything = await read(ledger, ADMIN, MINE)
    assert [event.details["name"] for event in everything] == ["former", "new"]


async def test_filters_by_type_time_place_and_number() -> None:
    stopped = Event(
        at=NOW + timedelta(hours=1), type=EventType.CONTAINER_STOPPED, actor=None, uid=ALICE.uid, subject="b",
        details={"name": "x", "reason": "oom"},
    )  # fmt: skip
    ledger = await ledger_with(paused("one"), paused("two"), stopped)
    assert [e.seq for e in await read(ledger, ME, Query(uid=ALICE.uid, types=types(["container.stopped"])))] == [3]
    assert [e.seq for e in await read(ledger, ME, Query(uid=ALICE.uid, after=1))] == [2, 3]
    assert [e.seq for e in await read(ledger, ME, Query(uid=ALICE.uid, since=NOW + timedelta(minutes=1)))] == [3]
    assert [e.seq for e in await read(ledger, ME, Query(uid=ALICE.uid, limit=2))] == [2, 3]


async def test_of_more_than_the_limit_the_first_ones_after_a_number_come() -> None:
    ledger = await ledger_with(*(paused(str(number)) for number in range(1, 8)))
    assert [e.seq for e in await read(ledger, ME, Query(uid=ALICE.uid, after=2, limit=2))] == [3, 4]
    assert [e.seq for e in await read(ledger, ME, Query(uid=ALICE.uid, limit=2))] == [6, 7]
    assert [e.seq for e in await read(ledger, ME, Query(uid=ALICE.uid, before=6, limit=2))] == [4, 5]
    assert [e.seq for e in await read(ledger, ME, Query(uid=ALICE.uid, after=3, before=6, limit=9))] == [4, 5]


def test_types_are_named_one_by_one_or_by_noun() -> None:
    assert types(["lease.granted", "lease.granted"]) == (EventType.LEASE_GRANTED,)
    assert set(types(["policy"])) == {EventType.POLICY_RELOADED, EventType.POLICY_REJECTED}
    assert types(["daemon.*"]) == (EventType.DAEMON_STARTED, EventType.DAEMON_STOPPED)
    with pytest.raises(Ds01Error) as caught:
        types(["contaner.stopped"])
    assert caught.value.kind is BAD_REQUEST
    assert "container.stopped" in caught.value.problem.hint


def test_since_is_ago_or_a_moment() -> None:
    assert since("2h", NOW) == NOW - timedelta(hours=2)
    assert since("2026-03-02T08:00Z", NOW) == NOW - timedelta(hours=1)
    for bad in ("yesterday", "2026-03-02", "99999999d", "9999-12-31T23:59-14:00"):
        with pytest.raises(Ds01Error, match="is no time"):
            since(bad, NOW)


async def test_following_shows_what_is_there_and_then_what_comes() -> None:
    ledger = await ledger_with(paused("old"))
    stream = follow(ledger, ME, MINE, patience_seconds=5)
    assert (await anext(stream)).details["name"] == "old"
    coming = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await record(ledger, paused("his", BOB.uid), paused("new"), paused("newer"))
    assert (await coming).details["name"] == "new"
    assert (await anext(stream)).details["name"] == "newer"
    await stream.aclose()


@pytest.mark.parametrize("limit", [2, 3, 200])
async def test_following_from_a_number_misses_none(limit: int) -> None:
    ledger = await ledger_with(*(paused(str(number)) for number in range(1, 8)))
    stream = follow(ledger, ME, Query(uid=ALICE.uid, after=1, limit=limit), patience_seconds=5)
    async with asyncio.timeout(60):
        assert [(await anext(stream)).seq for _ in range(6)] == [2, 3, 4, 5, 6, 7]
    await record(ledger, paused("8"))
    assert (await anext(stream)).seq == 8
    await stream.aclose()


async def test_following_misses_none_of_many_that_come_at_once() -> None:
    ledger = await ledger_with(paused("old"))
    stream = follow(ledger, ME, MINE, patience_seconds=5)
    assert (await anext(stream)).seq == 1
    many = ROWS + 3
    await record(ledger, *(paused(str(number)) for number in range(many)))
    async with asyncio.timeout(60):
        assert [(await anext(stream)).seq for _ in range(many)] == list(range(2, many + 2))
    await stream.aclose()
