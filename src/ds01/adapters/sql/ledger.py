"""The ledger on disk: one writing thread, group commit, readers beside it.

Writes that wait together share one transaction and one flush to the disk, each in a savepoint of its own: one
that fails takes nothing with it. A write is acknowledged only after the commit returned. That is what makes
hundreds of durable grants a second possible on a disk that flushes a thousand times a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ds01.adapters.sql import backup, chain, connect, faults, schema, statements
from ds01.adapters.sql.books import SqlBooks
from ds01.adapters.sql.hot import Hot
from ds01.adapters.sql.shown import Shown
from ds01.domain.errors import LEDGER_ERROR, Ds01Error
from ds01.domain.events import EventType, Unknown
from ds01.ports.ledger import READS_OF_USERS, Audit, Backup, Books

T = TypeVar("T")

GROUP = 64
"""How many writes share a commit at most: bounds what a failed commit takes back."""
READERS = READS_OF_USERS + 1
VERIFIED = 20_000
"""How many events ``verify`` goes through: about a second."""


class Job(Generic[T]):
    """One write on its way: what to do, who waits for it, and how it ended."""

    def __init__(self, work: Callable[[Books], T], answer: asyncio.Future[T]) -> None:
        self.work = work
        self.answer = answer
        self.result: T | None = None
        self.error: Exception | None = None

    def __enter__(self) -> Job[T]:
        self.error = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Keep the error of the work for its asker: the writing thread goes on."""
        if isinstance(error, Exception):
            self.error = error
            return True
        return False

    def settle(self) -> None:
        """Answer, unless the asker is gone."""
        if self.answer.done():
            return
        if self.error is not None:
            self.answer.set_exception(self.error)
        else:
            self.answer.set_result(cast(T, self.result))


class SqlLedger:
    """The ledger of ``place``: a path, or a database URL. Used from one event loop.

    ``patience_seconds`` is how long a write waits for another program that has the file locked.
    """

    def __init__(self, place: str | Path, *, patience_seconds: float = 5.0) -> None:
        url = self._url = connect.location(place)
        self._where = url.database or url.render_as_string()
        self._writing = connect.writer(url, patience_seconds)
        self._reading = connect.readers(url, READERS + 1)
        self._writer, self._opened = self._open(lambda: connect.prepare(url))
        self._last, self._latest = self._opened, dict[EventType | Unknown, int]()
        self._shown, self._hot = Shown(self._writer), Hot()
        self._here = threading.local()
        self._readers: list[Connection] = []
        self._jobs: queue.SimpleQueue[Job[Any] | None] = queue.SimpleQueue()
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="ledger-read")
        self._thread = threading.Thread(target=self._serve, name="ledger-write", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` in one durable transaction; nothing of it stands when it raises."""
        self._check_open()
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(Job(work, answer))
        return await answer

    async def read(self, work: Callable[[Books], T]) -> T:
        """Run ``work`` over one consistent view."""
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)

    def glance(self, work: Callable[[Books], T]) -> T:
        """``read`` at once and in place: the way to a reading thread and back takes ten times as long as a row."""
        self._check_open()
        try:
            connection = self._reader()
            with connect.reading(connection):
                return work(SqlBooks(connection))
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise faults.explain(error, self._where) from error

    async def wait(self, after: int, timeout_seconds: float, types: Collection[EventType] = ()) -> int:
        """Wait until an event later than ``after`` is recorded or the time is over; returns the last seq."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while not (self.heard(after, types) if types else self._last > after) and not self._closed:
                    await self._next_event()
        return self._last

    def heard(self, after: int, types: Collection[EventType]) -> bool:
        """Whether one of these was recorded after that one; of what was recorded before it was opened all may be."""
        return self._opened > after or any(self._latest.get(kind, 0) > after for kind in types)

    async def verify(self) -> tuple[str, ...]:
        """What is wrong with the record itself: damage, or events that somebody changed; empty when it is sound."""
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._verify)

    async def audit(self) -> Audit:
        """All of the chain, over a connection of its own: those who read meanwhile do not wait for it."""
        self._check_open()
        return await asyncio.to_thread(self._audit)

    async def back_up(self, into: Path) -> Backup:
        """A copy of one moment, whole and as DS01 wrote it, in a new file that only its owner may read."""
        self._check_open()
        return await asyncio.to_thread(backup.back_up, self._url, into)

    async def close(self) -> None:
        """Finish the writes that wait, then let go of the file."""
        if self._closed:
            return
        self._closed = True
        self._wake()
        self._jobs.put(None)
        await asyncio.to_thread(self._finish)

    # opening and closing ----------------------------------------------------------------------------
    def _open(self, prepare: Callable[[], None]) -> tuple[Connection, int]:
        """The writing connection and the last event. What cannot be opened is let go of again."""
        with contextlib.ExitStack() as undo:
            undo.callback(self._writing.dispose)
            try:
                prepare()
                connection = undo.enter_context(self._writing.connect())
                with connect.writing(connection):
                    schema.bring_to_head(connection, self._where)
                    last = connection.execute(statements.LAST_SEQ).scalar() or 0
            except (SQLAlchemyError, sqlite3.Error, OSError) as error:
                raise faults.explain(error, self._where) from error
            undo.pop_all()
        return connection, last

    def _check_open(self) -> None:
        if self._closed:
            raise Ds01Error(LEDGER_ERROR, "The ledger is closed.", hint="ds01d is stopping; try again when it is back.")

    def _finish(self) -> None:
        self._thread.join()
        self._pool.shutdown()
        for connection in (*self._readers, self._writer):
            connection.close()
        self._writing.dispose()
        self._reading.dispose()

    # the writing thread -----------------------------------------------------------------------------
    def _serve(self) -> None:
        going = True
        while going:
            jobs, going = self._gather()
            if jobs:
                self._commit(jobs)
                self._acknowledge(jobs)

    def _gather(self) -> tuple[list[Job[Any]], bool]:
        """Wait for a job and take along what waits behind it; says whether to go on after these."""
        jobs: list[Job[Any]] = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == GROUP:
                return jobs, True
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs, True
        return jobs, False

    def _commit(self, jobs: list[Job[Any]]) -> None:
        """Run all jobs in one transaction. When the transaction itself fails, each of them failed."""
        recorded: dict[EventType | Unknown, int] = {}
        try:
            self._hot = self._shown.begin()
            for job in jobs:
                recorded |= self._run(job)
            self._shown.commit(self._hot)
        except (SQLAlchemyError, sqlite3.Error) as error:
            self._shown.undo()
            for job in jobs:
                job.error = faults.explain(error, self._where)
        else:
            self._latest |= recorded
            self._last = max(self._last, *recorded.values()) if recorded else self._last

    def _run(self, job: Job[Any]) -> dict[EventType | Unknown, int]:
        """Run one job in its savepoint; returns the numbers of the last events it recorded, by their types."""
        books = SqlBooks(self._writer, self._hot)
        with job:
            with connect.savepoint(self._writer):
                job.result = job.work(books)
            self._hot = books.hot
            return books.recorded
        if faults.breaks_transaction(job.error):
            raise job.error
        if isinstance(job.error, SQLAlchemyError):
            job.error = faults.explain(job.error, self._where)
        return {}

    def _acknowledge(self, jobs: list[Job[Any]]) -> None:
        for loop in {job.answer.get_loop() for job in jobs}:
            mine = [job for job in jobs if job.answer.get_loop() is loop]
            with contextlib.suppress(RuntimeError):  # that loop is closed: nobody is left to tell
                loop.call_soon_threadsafe(self._settle, mine)

    # in the event loop ------------------------------------------------------------------------------
    def _settle(self, jobs: list[Job[Any]]) -> None:
        for job in jobs:
            job.settle()
        self._wake()

    async def _next_event(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    # reading ----------------------------------------------------------------------------------------
    def _read(self, work: Callable[[Books], T]) -> T:
        try:
            with self._shown.reading(self._reader()) as books:
                return work(books)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise faults.explain(error, self._where) from error

    def _reader(self) -> Connection:
        """The connection of this thread, which it keeps."""
        if not hasattr(self._here, "connection"):
            self._here.connection = self._reading.connect()
            self._readers.append(self._here.connection)
        found: Connection = self._here.connection
        return found

    def _verify(self) -> tuple[str, ...]:
        try:
            connection = self._reader()
            with connect.reading(connection):
                changed = chain.broken(connection, VERIFIED)
                found = connect.damage(connection)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise faults.explain(error, self._where) from error
        return (*found, changed) if changed else found

    def _audit(self) -> Audit:
        engine = connect.readers(self._url, 1)
        try:
            with engine.connect() as connection, connect.reading(connection):
                return chain.whole(connection)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise faults.explain(error, self._where) from error
        finally:
            engine.dispose()
