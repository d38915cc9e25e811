"""What can happen to the ledger's file, and that it is said in one sentence with nothing lost."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import NoneType

import pytest

from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.errors import LEDGER_ERROR, Ds01Error, ErrorKind, Problem
from ds01.domain.events import Event, EventType
from ds01.domain.gpu import SlotId
from ds01.ports.ledger import Books
from tests.values import ALICE, BOB, NOW, container, gpu, lease, slots

FOUR = slots(*(gpu(index) for index in range(4)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[SqlLedger]:
    made = SqlLedger(path, patience_seconds=0.05)
    yield made
    await made.close()


@contextmanager
def shell(path: Path) -> Iterator[sqlite3.Connection]:
    """What an admin with an SQL shell could do."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@contextmanager
def refused(kind: ErrorKind = LEDGER_ERROR) -> Iterator[list[Problem]]:
    told: list[Problem] = []
    with pytest.raises(Ds01Error) as raised:
        yield told
    assert raised.value.kind is kind
    told.append(raised.value.problem)


def event(subject: str) -> Event:
    return Event(at=NOW, type=EventType.CONTAINER_STARTED, actor=None, uid=ALICE.uid, subject=subject)


def some(books: Books) -> None:
    books.put_slots(FOUR)
    books.put_lease(lease("one", "GPU-0"))
    for number in range(5):
        books.record(event(f"s{number}"))


# opening ----------------------------------------------------------------------------------------------
async def test_the_file_is_its_owners_alone(ledger: SqlLedger, path: Path) -> None:
    await ledger.write(some)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}


async def test_a_url_is_accepted(path: Path) -> None:
    made = SqlLedger(f"sqlite:///{path}")
    await made.write(some)
    await made.close()
    assert path.exists()


@pytest.mark.parametrize(
    "content", [b"not a ledger at all, but long enough to have a header" * 40, b"SQLite format 3\0" * 99]
)
def test_a_file_that_is_no_ledger_is_said(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with refused() as told:
        SqlLedger(path)
    assert told[0].message == f"The ledger {path} is damaged."
    assert f"mv {path}* {path.parent}/damaged/" in told[0].hint
    assert path.read_bytes() == content


async def test_a_page_that_rotted_is_said_when_it_is_read(path: Path) -> None:
    made = SqlLedger(path)
    await made.write(some)
    await made.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    with refused() as told:
        broken = SqlLedger(path)
        try:
            await broken.read(lambda books: books.events())
        finally:
            await broken.close()
    assert "is damaged" in told[0].message


def test_a_ledger_of_a_newer_ds01_is_refused(path: Path) -> None:
    made_and_closed(path)
    with shell(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with refused() as told:
        SqlLedger(path)
    assert "newer DS01" in told[0].message


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with refused() as told:
        SqlLedger(tmp_path / "none" / "ledger.db")
    assert "No such file" in told[0].message


async def test_a_deleted_ledger_is_a_new_one_even_when_its_log_is_still_there(path: Path) -> None:
    made = SqlLedger(path)
    await made.write(some)
    log = path.with_name("ledger.db-wal").read_bytes()
    await made.close()
    path.unlink()
    path.with_name("ledger.db-wal").write_bytes(log)
    fresh = SqlLedger(path)
    assert await fresh.read(lambda books: (books.slots(), books.events())) == ((), ())
    assert await fresh.verify() == ()
    await fresh.close()


def test_a_migration_that_fails_leaves_nothing_half_done(path: Path) -> None:
    with shell(path) as connection:
        connection.execute("CREATE TABLE notes (mine TEXT)")
    with refused():
        SqlLedger(path)
    with shell(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("notes",)]


# while it is open -------------------------------------------------------------------------------------
async def test_a_lock_of_another_program_is_said_and_passes(ledger: SqlLedger, path: Path) -> None:
    with shell(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with refused() as told:
            await ledger.write(some)
        assert "locked by another program" in told[0].message
        assert await ledger.read(lambda books: books.slots()) == ()
    await ledger.write(some)
    assert len(await ledger.read(lambda books: books.slots())) == 4


async def test_what_another_program_wrote_is_believed(ledger: SqlLedger, path: Path) -> None:
    await ledger.write(some)
    with shell(path) as connection:
        connection.execute("INSERT INTO quarantines VALUES ('GPU-2', 'driver', 'by hand')")
    assert await ledger.write(lambda books: books.quarantined()) == {"GPU-2": "by hand"}


async def test_what_another_program_wrote_is_read_at_once(ledger: SqlLedger, path: Path) -> None:
    await ledger.write(some)
    assert await ledger.write(lambda books: books.quarantined()) == {}
    assert await ledger.read(lambda books: books.quarantined()) == {}
    with shell(path) as connection:
        connection.execute("INSERT INTO quarantines VALUES ('GPU-2', 'driver', 'by hand')")
    assert await ledger.read(lambda books: books.quarantined()) == {"GPU-2": "by hand"}


async def test_who_reads_sees_one_state_whatever_is_written_meanwhile(ledger: SqlLedger) -> None:
    await ledger.write(some)
    looking, go_on = threading.Event(), threading.Event()

    def look(books: Books) -> tuple[int, int]:
        looking.set()
        assert go_on.wait(60)
        return len(books.open_leases()), len(books.events())

    def more(books: Books) -> None:
        books.put_lease(lease("two", "GPU-1"))
        books.record(event("later"))

    reading = asyncio.create_task(ledger.read(look))
    await asyncio.to_thread(looking.wait, 60)
    await ledger.write(more)
    go_on.set()
    assert await reading == (1, 5)
    assert await ledger.read(look) == (2, 6)


async def test_what_a_reader_found_in_an_older_state_is_nobody_elses(ledger: SqlLedger) -> None:
    await ledger.write(some)
    looking, go_on = threading.Event(), threading.Event()

    def look(books: Books) -> int:
        looking.set()
        assert go_on.wait(60)
        return len(books.containers())

    reading = asyncio.create_task(ledger.read(look))
    await asyncio.to_thread(looking.wait, 60)
    await ledger.write(lambda books: books.put_container(container("new")))
    go_on.set()
    assert await reading == 0
    assert await ledger.read(look) == await ledger.write(look) == 1


async def test_an_asker_who_went_away_stops_nobody(ledger: SqlLedger) -> None:
    gone = asyncio.create_task(ledger.write(some))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await ledger.write(lambda books: books.put_note("after", "x"))
    assert await ledger.read(lambda books: books.note("after")) == "x"


async def test_closing_finishes_what_waits(path: Path) -> None:
    made = SqlLedger(path)
    waiting = [asyncio.create_task(made.write(lambda books: books.record(event("x")))) for _ in range(100)]
    await asyncio.sleep(0)
    await made.close()
    assert sorted(done.seq for done in await asyncio.gather(*waiting)) == list(range(1, 101))


async def test_a_value_that_cannot_be_stored_fails_its_own_write_only(ledger: SqlLedger) -> None:
    naive = replace(event("x"), at=NOW.replace(tzinfo=None))
    ends = await asyncio.gather(
        ledger.write(lambda books: books.put_note("good", "x")),
        ledger.write(lambda books: books.put_lease(lease("one", "GPU-9"))),
        ledger.write(lambda books: books.record(naive)),
        ledger.write(lambda books: books.put_note("also", "x")),
        return_exceptions=True,
    )
    assert [type(end) for end in ends] == [NoneType, Ds01Error, ValueError, NoneType]
    assert await ledger.read(lambda books: books.note("also")) == "x"


# what the schema itself refuses -----------------------------------------------------------------------
async def test_i1_the_schema_itself_refuses_a_second_open_lease(ledger: SqlLedger, path: Path) -> None:
    await ledger.write(some)
    await ledger.write(lambda books: books.put_lease(lease("two", "GPU-1", user=BOB)))
    with shell(path) as connection, pytest.raises(sqlite3.IntegrityError, match=r"lease_slots\.slot"):
        connection.execute("INSERT INTO lease_slots VALUES ('lease-two', 1, 'GPU-0', 1)")


async def test_i1_the_schema_itself_refuses_a_gpu_beside_its_instance(ledger: SqlLedger, path: Path) -> None:
    both = slots(gpu(0)) + slots(gpu(0, parts=["3g.20gb"]))
    await ledger.write(lambda books: books.put_slots(both))
    await ledger.write(lambda books: books.put_lease(lease("one", "GPU-0")))
    with shell(path) as connection, pytest.raises(sqlite3.IntegrityError, match="leased together"):
        connection.execute("INSERT INTO lease_slots VALUES ('lease-one', 1, 'MIG-0-0', 1)")


@pytest.mark.parametrize("statement", ["UPDATE events SET uid = 0", "DELETE FROM events WHERE seq = 2"])
async def test_events_are_append_only(ledger: SqlLedger, path: Path, statement: str) -> None:
    await ledger.write(some)
    with shell(path) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE events SET uid = 7 WHERE seq = 3", "DELETE FROM events WHERE seq = 2", "UPDATE events SET hash = 'x'"],
)
async def test_events_changed_around_ds01_are_found(ledger: SqlLedger, path: Path, statement: str) -> None:
    await ledger.write(some)
    assert await ledger.verify() == ()
    with shell(path) as connection:
        connection.execute("DROP TRIGGER events_no_update")
        connection.execute("DROP TRIGGER events_no_delete")
        connection.execute(statement)
    (found,) = await ledger.verify()
    assert "is not as DS01 wrote it" in found


async def test_a_slot_out_of_nothing_is_found(ledger: SqlLedger, path: Path) -> None:
    await ledger.write(some)
    with shell(path) as connection:
        connection.execute("DELETE FROM slots WHERE id = 'GPU-0'")
    assert await ledger.verify() == ("lease_slots refers to a missing row of slots",)
    assert SlotId("GPU-0") not in {slot.id for slot in await ledger.read(lambda books: books.slots())}


def made_and_closed(path: Path) -> None:
    """Make a ledger and close it."""

    async def make() -> None:
        await SqlLedger(path).close()

    asyncio.run(make())
