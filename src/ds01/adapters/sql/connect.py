"""Opens the database the way the ledger needs it: durable, one writer, readers that cannot write.

SQLite: write-ahead log with ``synchronous=FULL`` (the log is on the disk before a commit returns), foreign keys
on, and our own BEGIN, because Python's driver would otherwise begin late and break savepoints.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

_ALWAYS = ("PRAGMA foreign_keys=ON", "PRAGMA synchronous=FULL")
_WRITER = (*_ALWAYS, "PRAGMA journal_mode=WAL", "PRAGMA journal_size_limit=67108864")
_LOOSE = "PRAGMA foreign_key_check"
_PAGES, _WHOLE = "PRAGMA quick_check(3)", "PRAGMA integrity_check(3)"
_READER = (*_ALWAYS, "PRAGMA query_only=ON")


def location(place: str | Path) -> URL:
    """A database URL; a plain path is an SQLite file."""
    text = str(place)
    return make_url(text) if "://" in text else URL.create("sqlite", database=text)


def writer(url: URL, patience_seconds: float = 5.0) -> Engine:
    """The engine of the one writing connection."""
    return _engine(url, (f"PRAGMA busy_timeout={int(patience_seconds * 1000)}", *_WRITER), connections=1)


def readers(url: URL, connections: int) -> Engine:
    """The engine of the reading connections."""
    return _engine(url, _READER, connections)


def driver(connection: Connection) -> Any:
    """The driver's own connection: for what is said so often that any wrapping counts."""
    return connection.connection.dbapi_connection


def begin(connection: Connection) -> None:
    """A transaction that has the right to write from its first statement on: it cannot fail for it later."""
    connection.begin()
    if connection.dialect.name == "sqlite":
        driver(connection).execute("BEGIN IMMEDIATE")


@contextlib.contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """All that happens inside, in one transaction."""
    try:
        begin(connection)
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


@contextlib.contextmanager
def reading(connection: Connection) -> Iterator[None]:
    """One transaction that sees one state of the ledger, that of its first look, whatever is committed meanwhile."""
    said = driver(connection)
    if connection.dialect.name == "sqlite":
        said.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction():
            connection.rollback()
        said.rollback()


@contextlib.contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """What happens inside stands together or not at all; as text, because it runs once for every write."""
    said = driver(connection).cursor()
    said.execute("SAVEPOINT write")
    try:
        yield
    except BaseException:
        said.execute("ROLLBACK TO SAVEPOINT write")
        said.execute("RELEASE SAVEPOINT write")
        raise
    said.execute("RELEASE SAVEPOINT write")


def version(connection: Connection) -> int:
    """Changes when another connection wrote; 0 where only DS01 ever writes."""
    if connection.dialect.name != "sqlite":
        return 0
    return int(driver(connection).execute("PRAGMA data_version").fetchone()[0])


def damage(connection: Connection, *, whole: bool = False) -> tuple[str, ...]:
    """What the database finds wrong with its file: broken pages, rows that refer to nothing; ``whole``: indexes too."""
    if connection.dialect.name != "sqlite":
        return ()
    pages = [row[0] for row in connection.exec_driver_sql(_WHOLE if whole else _PAGES) if row[0] != "ok"]
    rows = [f"{row[0]} refers to a missing row of {row[2]}" for row in connection.exec_driver_sql(_LOOSE)]
    return (*pages, *rows)


def prepare(url: URL) -> None:
    """Make an SQLite file that is missing, readable by its owner alone: the log files inherit its mode."""
    if url.get_backend_name() == "sqlite" and url.database is not None:
        os.close(os.open(url.database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _engine(url: URL, settings: tuple[str, ...], connections: int) -> Engine:
    engine = create_engine(url, pool_size=connections, max_overflow=0)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure(settings))
    return engine


def _configure(settings: tuple[str, ...]) -> Callable[[Any, object], None]:
    def configure(connection: Any, record: object) -> None:
        connection.isolation_level = None
        for setting in settings:
            connection.execute(setting)

    return configure
