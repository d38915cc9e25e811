"""Opens the database the way the ledger needs it: durable, one writer, readers that cannot write.

SQLite: write-ahead log with ``synchronous=FULL`` (the log is on the disk before a commit returns), foreign keys
on, and our own BEGIN, because Python's driver would otherwise begin late and break savepoints.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

_ALWAYS = ("PRAGMA foreign_keys=ON", "PRAGMA busy_timeout=5000", "PRAGMA synchronous=FULL")
_WRITER = (*_ALWAYS, "PRAGMA journal_mode=WAL", "PRAGMA journal_size_limit=67108864")
_READER = (*_ALWAYS, "PRAGMA query_only=ON")


def location(place: str | Path) -> URL:
    """A database URL; a plain path is an SQLite file."""
    text = str(place)
    return make_url(text) if "://" in text else URL.create("sqlite", database=text)


def writer(url: URL) -> Engine:
    """The engine of the one writing connection."""
    return _engine(url, begin="BEGIN IMMEDIATE", settings=_WRITER, connections=1)


def readers(url: URL, connections: int) -> Engine:
    """The engine of the reading connections."""
    return _engine(url, begin="BEGIN", settings=_READER, connections=connections)


def prepare(url: URL) -> None:
    """Make an SQLite file that is missing, readable by its owner alone: the log files inherit its mode."""
    if url.get_backend_name() == "sqlite" and url.database is not None:
        os.close(os.open(url.database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _engine(url: URL, *, begin: str, settings: tuple[str, ...], connections: int) -> Engine:
    engine = create_engine(url, pool_size=connections, max_overflow=0)
    if engine.dialect.name != "sqlite":
        return engine

    def configure(connection: Any, record: object) -> None:
        connection.isolation_level = None
        for setting in settings:
            connection.execute(setting)

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", start)
    return engine
