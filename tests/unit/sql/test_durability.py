"""What was acknowledged is there: after kill -9 at any moment, and when the disk is full."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import text

from ds01.adapters.sql import connect
from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.errors import DISK_FULL, GPU_FULL, Ds01Error, ErrorKind
from ds01.domain.events import Event, EventType
from ds01.domain.lease import Lease, LeaseId, LeaseState
from ds01.domain.people import Uid, User
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from tests.effort import tries
from tests.values import NOW, gpu, leased, limits, slots

POINTS = tries(200)
CLIENTS = 16
EIGHT = slots(*(gpu(index) for index in range(8)))
ORDER = [LeaseState.RESERVED, LeaseState.ACTIVE, LeaseState.HELD, LeaseState.RELEASED]
FREE = limits(gpus_max=Fraction(8))


def test_every_commit_is_on_the_disk_before_it_returns(tmp_path: Path) -> None:
    engine = connect.writer(connect.location(tmp_path / "ledger.db"))
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    engine.dispose()


# kill -9 ----------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_f3_what_was_acknowledged_survives_kill_9_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    asyncio.run(prepared(path))
    acknowledged: dict[LeaseId, LeaseState] = {}
    chance = random.Random(1)
    for _ in range(POINTS):
        told = killed(path, after_seconds=chance.uniform(0, 0.06))
        acknowledged |= asyncio.run(examined(path, told))
    assert len(acknowledged) > POINTS
    asyncio.run(examined(path, acknowledged, whole=True))


async def prepared(path: Path) -> None:
    ledger = SqlLedger(path)
    await ledger.write(lambda books: books.put_slots(EIGHT))
    await ledger.close()


def killed(path: Path, after_seconds: float) -> dict[LeaseId, LeaseState]:
    """Let a process lease and give back until it is killed; what it was told before."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        work_until_killed(path, writing)
    os.close(writing)
    with os.fdopen(reading) as told:
        first = told.readline()
        time.sleep(after_seconds)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lines = (first + told.read()).splitlines(keepends=True)
    whole = (line.split() for line in lines if line.endswith("\n"))
    return {LeaseId(lease): LeaseState(state) for lease, state in whole}


def work_until_killed(path: Path, told: int) -> NoReturn:
    try:
        asyncio.run(clients(path, told))
    finally:
        os._exit(1)


async def clients(path: Path, told: int) -> None:
    ledger = SqlLedger(path)
    await asyncio.gather(*(client(ledger, Uid(3000 + number), told) for number in range(CLIENTS)))


async def client(ledger: SqlLedger, uid: Uid, told: int) -> None:
    """Lease, start, stop, give back; say each step when it was acknowledged."""
    user = User(uid=uid, gid=int(uid), login=f"u{uid}", home=f"/home/u{uid}")
    while True:
        now = datetime.now(UTC)
        try:
            lease = await ledger.write(partial(leased, user=user, limits=FREE, name="x", now=now))
        except Ds01Error as error:
            if error.kind is not GPU_FULL:
                raise
            continue
        say(told, lease)
        for step in (
            partial(leases.activate, lease_id=lease.id, container_id=lease.id, now=now),
            partial(leases.hold, lease_id=lease.id, until=now + timedelta(hours=1), now=now),
            partial(leases.release, lease_id=lease.id, reason="done", now=now),
        ):
            say(told, await ledger.write(step))


def say(told: int, lease: Lease) -> None:
    os.write(told, f"{lease.id} {lease.state}\n".encode())


async def examined(path: Path, told: dict[LeaseId, LeaseState], *, whole: bool = False) -> dict[LeaseId, LeaseState]:
    """Every acknowledged step is there, nothing is leased twice; what is open is then swept for the next round.

    Returns the state each lease was left in. ``whole`` also goes through the record itself.
    """
    ledger = SqlLedger(path)
    found = await ledger.read(lambda books: {key: leases.find(books, key).state for key in told})
    assert [key for key in told if ORDER.index(found[key]) - ORDER.index(told[key]) not in (0, 1)] == []
    still = await ledger.read(lambda books: books.open_leases())
    held = [slot for lease in still for slot in lease.slots]
    assert len(held) == len(set(held))
    assert not whole or await ledger.verify() == ()
    for lease in still:
        await ledger.write(partial(leases.release, lease_id=lease.id, reason="swept", now=NOW))
        found[lease.id] = LeaseState.RELEASED
    await ledger.close()
    return found


# a full disk ------------------------------------------------------------------------------------------
@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.root
async def test_a_full_disk_refuses_grants_loses_nothing_and_lets_everybody_read(small_disk: Path) -> None:
    ledger = SqlLedger(small_disk / "ledger.db")
    await ledger.write(lambda books: books.put_slots(EIGHT))
    filler = small_disk / "filler"
    filler.write_bytes(bytes(1024 * 1024))
    ends = [await outcome(ledger) for _ in range(1000)]
    written = ends.index(DISK_FULL)
    assert set(ends[:written]) == {None}
    assert set(ends[written:]) == {DISK_FULL}
    with pytest.raises(Ds01Error) as refused:
        await ledger.write(big)
    problem = refused.value.problem
    assert problem.hint == f"Make room on that disk: df -h {small_disk}"
    assert len(await ledger.read(lambda books: books.events(limit=10_000))) == written
    filler.unlink()
    await ledger.write(big)
    await ledger.close()
    reopened = SqlLedger(small_disk / "ledger.db")
    assert len(await reopened.read(lambda books: books.events(limit=10_000))) == written + 1
    assert await reopened.verify() == ()
    await reopened.close()


@pytest.mark.root
def test_a_ledger_that_finds_no_room_to_open_says_so(small_disk: Path) -> None:
    with (small_disk / "filler").open("wb") as filler:
        filler.write(bytes(2 * 1024 * 1024 - 8192))
    with pytest.raises(Ds01Error) as refused:
        SqlLedger(small_disk / "ledger.db")
    assert refused.value.kind is DISK_FULL


def big(books: Books) -> None:
    books.record(
        Event(at=NOW, type=EventType.DOOR_DENIED, actor=None, uid=None, subject="x", details={"path": "x" * 3000})
    )


async def outcome(ledger: SqlLedger) -> ErrorKind | None:
    """How one more write ends."""
    try:
        await ledger.write(big)
    except Ds01Error as error:
        return error.kind
    return None
