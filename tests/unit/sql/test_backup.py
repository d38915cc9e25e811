"""A copy of the ledger while it is written to: of one moment, whole, for its owner alone, or not there at all."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from ds01.adapters.sql import backup
from ds01.adapters.sql.connect import location
from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.errors import BAD_REQUEST, DISK_FULL, LEDGER_ERROR, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.ports.ledger import Books
from tests.values import ALICE, NOW, container


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "one.db"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[SqlLedger]:
    made = SqlLedger(path)
    await made.write(lambda books: books.put_container(container("thesis")))
    for number in range(50):
        await made.write(lambda books, number=number: books.record(event(number)))  # type: ignore[misc]
    yield made
    await made.close()


def event(number: int) -> Event:
    return Event(at=NOW, type=EventType.CONTAINER_STARTED, actor=None, uid=ALICE.uid, subject=f"c{number}")


async def test_the_copy_is_the_ledger(ledger: SqlLedger, into: Path) -> None:
    made = await ledger.back_up(into)
    assert (made.path, made.events, made.size_bytes) == (str(into), 50, into.stat().st_size)
    assert os.listdir(into.parent) == [into.name]
    assert stat.S_IMODE(into.stat().st_mode) == 0o600
    assert stat.S_IMODE(into.parent.stat().st_mode) == 0o700
    copied = SqlLedger(into)
    assert await copied.read(lambda books: books.containers()) == (container("thesis"),)
    assert await copied.verify() == ()
    assert (await copied.write(lambda books: books.record(event(50)))).seq == 51
    await copied.close()


async def test_it_is_of_one_moment_however_much_is_written_meanwhile(ledger: SqlLedger, into: Path) -> None:
    """Every transaction writes two things; in no copy is there one without the other."""
    going = True

    async def write() -> None:
        number = 1000
        while going:
            number += 1
            await ledger.write(partial(_two, number=number))

    def _two(books: Books, number: int) -> None:
        books.record(event(number))
        books.put_note("latest", str(number))

    writing = asyncio.create_task(write())
    for copy in range(5):
        await asyncio.sleep(0.02)
        place = into.with_name(f"{copy}.db")
        await ledger.back_up(place)
        with closing(sqlite3.connect(place)) as there:
            (latest,) = there.execute("select subject from events order by seq desc limit 1").fetchone()
            noted = there.execute("select value from notes where key = 'latest'").fetchone()
        assert latest == (f"c{noted[0]}" if noted else "c49")
    going = False
    await writing


@pytest.mark.parametrize("what", ["file", "link", "nowhere"])
async def test_nothing_is_written_over(ledger: SqlLedger, into: Path, tmp_path: Path, what: str) -> None:
    into.parent.mkdir()
    elsewhere = tmp_path / "precious"
    elsewhere.write_text("hers")
    match what:
        case "file":
            into.write_text("hers")
        case "link":
            into.symlink_to(elsewhere)
        case _:
            into.symlink_to(tmp_path / "nowhere")
    with pytest.raises(Ds01Error) as refused:
        await ledger.back_up(into)
    assert refused.value.kind is BAD_REQUEST
    assert elsewhere.read_text() == "hers"
    assert os.listdir(into.parent) == [into.name]


@pytest.mark.parametrize("change", [
    "update events set subject = 'other' where seq = 1", "delete from events where seq = 1",
    "delete from events where seq = 20",
])  # fmt: skip
async def test_a_ledger_that_somebody_changed_is_not_copied(
    ledger: SqlLedger, path: Path, into: Path, change: str
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as shell:
        for verb in ("update", "delete"):
            shell.execute(f"drop trigger events_no_{verb}")
        shell.execute(change)
    with pytest.raises(Ds01Error) as refused:
        await ledger.back_up(into)
    assert refused.value.kind is LEDGER_ERROR
    assert "is not as DS01 wrote it" in refused.value.problem.reason
    assert os.listdir(into.parent) == []


async def test_an_index_that_does_not_fit_its_table_is_found(ledger: SqlLedger, path: Path, into: Path) -> None:
    """What only a look through the whole file finds."""
    with closing(sqlite3.connect(path, isolation_level=None)) as shell:
        shell.execute("pragma writable_schema = on")
        shell.execute("create table other (x, y)")
        shell.execute("insert into other values (1, 2), (3, 4)")
        shell.execute("create index other_x on other (x)")
        shell.execute("update sqlite_master set sql = 'create index other_x on other (y)' where name = 'other_x'")
    with pytest.raises(Ds01Error) as refused:
        await ledger.back_up(into)
    assert "other_x" in refused.value.problem.reason
    assert os.listdir(into.parent) == []


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk that is too small."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.root
async def test_a_disk_that_is_too_small_is_the_copys_and_nothing_stays_on_it(ledger: SqlLedger, small: Path) -> None:
    with pytest.raises(Ds01Error) as refused:
        await ledger.back_up(small / "one.db")
    assert refused.value.kind is DISK_FULL
    assert str(refused.value) == f"There is no room for a copy of the ledger in {small}."
    assert os.listdir(small) == []
    assert (await ledger.write(lambda books: books.record(event(50)))).seq == 51


async def test_a_folder_that_cannot_be_is_a_sentence(ledger: SqlLedger, tmp_path: Path) -> None:
    with pytest.raises(Ds01Error) as refused:
        await ledger.back_up(tmp_path / "no/such/folder")
    assert refused.value.kind is LEDGER_ERROR
    assert "No such file" in str(refused.value)


def test_a_database_server_has_its_own_way(tmp_path: Path) -> None:
    with pytest.raises(Ds01Error) as refused:
        backup.back_up(location("postgresql://localhost/ds01"), tmp_path / "one")
    assert "pg_dump" in refused.value.problem.hint
