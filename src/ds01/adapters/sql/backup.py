"""A copy of the ledger while it is written to: of one moment, as SQLite makes it, and looked through before it gets its
name.

It is made beside its place under a name of its own, readable by its owner alone, and is there only when it is sound.
Nothing that is there is written over.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from ds01.adapters.sql import chain, connect, faults
from ds01.domain.errors import BAD_REQUEST, DISK_FULL, LEDGER_ERROR, Ds01Error
from ds01.ports.ledger import Backup


def back_up(url: URL, into: Path) -> Backup:
    """Copy, look it through, give it its name. Its folder is made when it is missing, for its owner alone."""
    if url.get_backend_name() != "sqlite" or url.database is None:
        raise Ds01Error(
            LEDGER_ERROR, "This ledger is in a database server.", reason="That has a way of its own.",
            hint="pg_dump, or what the server's manual says",
        )  # fmt: skip
    try:
        with _beside(into) as part:
            _copy(url.database, part)
            found = _sound(part)
            os.link(part, into, follow_symlinks=False)
            _settle(into.parent)
            return Backup(path=str(into), size_bytes=into.stat().st_size, events=found)
    except FileExistsError as error:
        raise Ds01Error(
            BAD_REQUEST, f"There is a file {into} already.", reason="Nothing was written over.",
            hint="Give the copy another name.",
        ) from error  # fmt: skip
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _explained(error, url.database, into) from error
    except OSError as error:
        raise Ds01Error(
            LEDGER_ERROR, f"The copy could not be written: {error.filename or into}: {error.strerror}.",
            reason="The ledger itself is as it was.", hint="Choose a folder that is there and has room.",
        ) from error  # fmt: skip


def _explained(error: Exception, ledger: str, into: Path) -> Ds01Error:
    """A disk that is full is the copy's; anything else is about the ledger that is read."""
    told = faults.explain(error, str(into))
    if told.kind is not DISK_FULL:
        return faults.explain(error, ledger)
    return Ds01Error(
        DISK_FULL, f"There is no room for a copy of the ledger in {into.parent}.",
        reason="The ledger itself goes on; nothing was left behind.",
        hint=f"Make room, or choose another disk: df -h {into.parent}",
    )  # fmt: skip


@contextlib.contextmanager
def _beside(into: Path) -> Iterator[Path]:
    """A new file in the same folder, which is gone afterwards."""
    with contextlib.suppress(FileExistsError):
        into.parent.mkdir(mode=0o700)
    if os.path.lexists(into):
        raise FileExistsError
    part = into.with_name(f".{into.name}.{secrets.token_hex(4)}")
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _copy(ledger: str, part: Path) -> None:
    """In one step, which sees one moment however much is written meanwhile. The copy is one file, without a log."""
    with (
        contextlib.closing(sqlite3.connect(f"file:{quote(ledger)}?mode=ro", uri=True)) as live,
        contextlib.closing(sqlite3.connect(part)) as copy,
    ):
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _sound(part: Path) -> int:
    """How many events it has. Raises Ds01Error when it is damaged, or when its events are not as DS01 wrote them."""
    engine = connect.readers(connect.location(part), 1)
    try:
        with engine.connect() as connection, connect.reading(connection):
            audit = chain.whole(connection)
            wrong = (*connect.damage(connection, whole=True), *filter(None, (audit.wrong,)))
    finally:
        engine.dispose()
    if wrong:
        raise Ds01Error(
            LEDGER_ERROR, "The ledger is not as DS01 wrote it, so no copy of it was kept.",
            reason=f"{'; '.join(wrong)}.", hint="ds01 doctor says what to do; keep the backups there are.",
        )  # fmt: skip
    return audit.events


def _settle(folder: Path) -> None:
    """The name is on the disk, too, when this returns."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
