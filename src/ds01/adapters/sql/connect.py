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


@contextlib.contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """One transaction that has the right to write from its first statement on: it cannot fail for it later."""
    with connection.begin():
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield


@contextlib.contextmanager
def reading(connection: Connection) -> Iterator[None]:
    """One transaction that sees one state of the ledger."""
    with connection.begin():
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        yield


@contextlib.contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """What happens inside stands together or not at all; as text, because it runs once for every write."""
    connection.exec_driver_sql("SAVEPOINT write")
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT write")
        connection.exec_driver_sql("RELEASE SAVEPOINT write")
        raise
    connection.exec_driver_sql("RELEASE SAVEPOINT write")


def version(connection: Connection) -> int:
    """Changes when another connection wrote; 0 where only DS01 ever writes."""
    if connection.dialect.name != "sqlite":
        return 0
    return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())


def damage(connection: Connection) -> tuple[str, ...]:
    """What the database finds wrong with its file: broken pages, rows that refer to nothing."""
    if connection.dialect.name != "sqlite":
        return ()
    pages = [row[0] for row in connection.exec_driver_sql("PRAGMA quick_check(3)") if row[0] != "ok"]
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
