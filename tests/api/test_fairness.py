"""Nobody's reads and writes of the ledger keep the others from theirs: counted, not timed."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from fastapi import FastAPI

from ds01.adapters.sql.ledger import SqlLedger
from ds01.api.app import with_world
from ds01.ports.ledger import READS_OF_USERS, Books, Ledger
from ds01.services.fairness import Fairness, Lane, OneAtATime
from tests.api.call import get
from tests.server import ALICE, BOB, SimServer

T = TypeVar("T")
CAROL = 1003
MANY = 16


class Counted(SqlLedger):
    """The ledger, which counts the reads it is asked for at the same time."""

    most = 0
    _now = 0

    async def read(self, work: Callable[[Books], T]) -> T:
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            return await super().read(work)
        finally:
            self._now -= 1


class Gate:
    """Reads that go on until it is opened, counted by whose they are."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.begun: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._lock = threading.Lock()

    def read(self, ledger: Ledger, who: str) -> asyncio.Task[str]:
        def work(_books: Books) -> str:
            with self._lock:
                self.begun[who] += 1
                self._now[who] += 1
                self.most[who] = max(self.most[who], self._now[who])
            self.opened.wait(30)
            with self._lock:
                self._now[who] -= 1
            return who

        return asyncio.create_task(ledger.read(work))

    async def until(self, who: str, number: int) -> None:
        """So many of somebody have begun."""
        async with asyncio.timeout(30):
            while self.begun[who] < number:
                await asyncio.sleep(0.001)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Counted]:
    made = Counted(tmp_path / "ledger.db")
    yield made
    await made.close()


@pytest.fixture
def gate() -> Gate:
    return Gate()


async def of(ledger: Ledger) -> str:
    """A read that takes no time."""
    return await ledger.read(lambda books: books.note("x") or "read")


async def test_reads_of_one_user_go_on_one_at_a_time_and_others_pass_them(ledger: Counted, gate: Gate) -> None:
    fairness = Fairness()
    alice, bob = (OneAtATime(ledger, fairness, user.uid, Lane.LOOKS) for user in (ALICE, BOB))
    many = [gate.read(alice, "alice") for _ in range(MANY)]
    await gate.until("alice", 1)
    async with asyncio.timeout(20):
        assert await of(bob) == "read"
    assert gate.begun["alice"] == 1
    gate.opened.set()
    assert await asyncio.gather(*many) == ["alice"] * MANY
    assert gate.most["alice"] == 1


async def test_what_changes_something_does_not_wait_for_her_lists(ledger: Counted, gate: Gate) -> None:
    fairness = Fairness()
    many = [gate.read(OneAtATime(ledger, fairness, ALICE.uid, Lane.LOOKS), "alice") for _ in range(MANY)]
    await gate.until("alice", 1)
    async with asyncio.timeout(20):
        assert await of(OneAtATime(ledger, fairness, ALICE.uid, Lane.CHANGES)) == "read"
    assert gate.begun["alice"] == 1
    gate.opened.set()
    await asyncio.gather(*many)


async def test_root_and_the_gateway_pass_all_users(ledger: Counted, gate: Gate) -> None:
    fairness = Fairness()
    many = [
        gate.read(OneAtATime(ledger, fairness, uid, Lane.LOOKS), str(uid))
        for _ in range(3)
        for uid in (ALICE.uid, BOB.uid, CAROL)
    ]
    await gate.until(str(ALICE.uid), 1)
    await gate.until(str(BOB.uid), 1)
    async with asyncio.timeout(20):
        assert await of(ledger) == "read"
    assert gate.begun == {str(ALICE.uid): 1, str(BOB.uid): 1}
    assert ledger.most == READS_OF_USERS + 1
    gate.opened.set()
    await asyncio.gather(*many)


async def test_a_read_nobody_waits_for_any_more_keeps_the_turn_until_it_is_over(ledger: Counted, gate: Gate) -> None:
    alice = OneAtATime(ledger, Fairness(), ALICE.uid, Lane.LOOKS)
    first = gate.read(alice, "alice")
    await gate.until("alice", 1)
    gone = [gate.read(alice, "alice") for _ in range(MANY)]
    last = gate.read(alice, "alice")
    await asyncio.sleep(0)
    for task in (first, *gone):
        task.cancel()
    await asyncio.wait(gone)
    assert gate.begun["alice"] == 1
    gate.opened.set()
    assert await last == "alice"
    assert (gate.begun["alice"], gate.most["alice"]) == (2, 1)
    assert first.cancelled()


async def test_of_the_writes_of_one_user_one_is_in_the_queue(ledger: Counted) -> None:
    fairness, opened, begun = Fairness(), threading.Event(), threading.Event()
    order: list[str] = []

    def write(ledger: Ledger, who: str, name: str) -> asyncio.Task[None]:
        def work(books: Books) -> None:
            begun.set()
            opened.wait(30)
            order.append(who)
            books.put_note(name, who)

        return asyncio.create_task(ledger.write(work))

    alice, bob = (OneAtATime(ledger, fairness, user.uid, Lane.CHANGES) for user in (ALICE, BOB))
    writes = [write(alice, "alice", f"a{number}") for number in range(MANY)]
    assert await asyncio.to_thread(begun.wait, 30)
    writes += [write(bob, "bob", "b"), write(ledger, "root", "r")]
    for _ in range(10):
        await asyncio.sleep(0)
    opened.set()
    await asyncio.gather(*writes)
    assert (order[0], sorted(order[1:3]), order[3:]) == ("alice", ["bob", "root"], ["alice"] * (MANY - 1))
    assert await ledger.read(lambda books: books.note(f"a{MANY - 1}")) == "alice"


async def test_what_a_read_raises_reaches_who_asked(ledger: Counted) -> None:
    alice = OneAtATime(ledger, Fairness(), ALICE.uid, Lane.LOOKS)
    with pytest.raises(ZeroDivisionError):
        await alice.read(lambda _books: 1 // 0)
    assert await of(alice) == "read"
    assert await alice.verify() == ()


@pytest.mark.parametrize("path", ["/v1/events", "/v1/jobs", "/v1/containers", "/v1/queue", "/v1/usage", "/v1/doctor"])
async def test_d16_requests_of_one_user_read_one_at_a_time(
    ledger: Counted, tmp_path: Path, routes: FastAPI, path: str
) -> None:
    server = await SimServer(run=tmp_path, ledger=ledger).open()
    app = with_world(routes, server.world, frozenset({0}))
    ledger.most = 0
    answers = await asyncio.gather(*(get(app, path, uid=ALICE.uid) for _ in range(MANY)))
    assert {answer.status for answer in answers} == {200}
    assert ledger.most == 1


async def test_d16_a_request_of_root_is_answered_while_users_read_all_they_may(
    ledger: Counted, gate: Gate, tmp_path: Path, routes: FastAPI
) -> None:
    server = await SimServer(run=tmp_path, ledger=ledger).open()
    app = with_world(routes, server.world, frozenset({0}))
    many = [
        gate.read(OneAtATime(ledger, app.state.fairness, uid, Lane.LOOKS), "x") for uid in (ALICE.uid, BOB.uid, CAROL)
    ]
    await gate.until("x", READS_OF_USERS)
    async with asyncio.timeout(20):
        assert (await get(app, "/v1/queue", uid=0)).status == 200
    assert gate.begun["x"] == READS_OF_USERS
    gate.opened.set()
    await asyncio.gather(*many)
