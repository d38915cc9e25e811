"""What the writing thread has in hand, shown to those who read beside it.

A reader takes the decoded values of the last commit only if they are what its own view of the file holds: nobody has
committed since, neither this program nor another one. Else it reads the file. So reading is quick while nothing is
stale, and an admin's SQL shell is believed at once.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from ds01.adapters.sql import connect
from ds01.adapters.sql.books import SqlBooks
from ds01.adapters.sql.hot import Hot

PATIENCE_SECONDS = 0.005
"""How long a reader waits for a commit that is on its way, rather than read the file."""
TRIES = 3


@dataclass(frozen=True, eq=False)
class State:
    """One state of the ledger, and what is known of it: every commit makes another one."""

    hot: Hot


class Shown:
    """``writer`` is the one writing connection. Its lock is held while a transaction begins and while it ends: between
    these it keeps others from committing, so what was shown before still stands.
    """

    def __init__(self, writer: Connection) -> None:
        self._writer = writer
        self._lock = threading.Lock()
        self._state = State(Hot())
        self._version = -1
        self._writing = False

    def begin(self) -> Hot:
        """A transaction begins; what is known at its begin."""
        with self._lock:
            connect.begin(self._writer)
            version = connect.version(self._writer)
            if version != self._version:  # another program wrote: believe the file, not the memory of it
                self._state, self._version = State(Hot()), version
            self._writing = True
            return self._state.hot

    def commit(self, hot: Hot) -> None:
        """The transaction ends well: it is on the disk, and ``hot`` is what is known after it."""
        with self._lock:
            self._writer.commit()
            self._state, self._writing = State(hot), False

    def undo(self) -> None:
        """Nothing of the transaction stands, and nothing is believed any more."""
        with self._lock:
            self._state, self._writing = State(Hot()), False
            self._writer.rollback()

    @contextlib.contextmanager
    def reading(self, connection: Connection) -> Iterator[SqlBooks]:
        """One transaction of a reader. Where writes come thick and fast it looks again for a moment between two."""
        for _ in range(TRIES):
            state = self._state
            with connect.reading(connection):
                connect.version(connection)  # the first look settles which state it is
                if self._still(state):
                    books = SqlBooks(connection, state.hot)
                    yield books
                    self._learn(state, books.hot)
                    return
        with connect.reading(connection):
            yield SqlBooks(connection)

    def _still(self, state: State) -> bool:
        """Whether nobody has committed anything since."""
        if not self._lock.acquire(timeout=PATIENCE_SECONDS):
            return False
        try:
            return state is self._state and (self._writing or connect.version(self._writer) == self._version)
        finally:
            self._lock.release()

    def _learn(self, state: State, hot: Hot) -> None:
        """What a reader had to decode is known to the next ones, too, and to the next writer."""
        if hot is not state.hot:
            with self._lock:
                if state is self._state and not self._writing:
                    self._state = State(hot)
