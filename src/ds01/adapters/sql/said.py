"""How a transaction says things in SQL: the few forms that every part of the books uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable, Row, Table

from ds01.adapters.sql import statements
from ds01.adapters.sql.hot import Hot
from ds01.adapters.sql.prepared import Statement, prepared


class Said:
    """One connection, in its transaction.

    ``hot`` is what earlier transactions already read of what every grant needs; ``hot`` afterwards is for the
    next one, if this one stands. None: there is no next one, so nothing is read that is not asked for.
    """

    def __init__(self, connection: Connection, hot: Hot | None = None) -> None:
        self._connection = connection
        self.hot = hot or Hot()
        self._keeps = hot is not None

    def _write(self, statement: Statement, *rows: Mapping[str, Any]) -> None:
        prepared(statement, self._connection.dialect, tuple(rows[0])).run(self._connection, rows)

    def _all(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        return self._connection.execute(statement, values).all()

    def _one(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Row[Any] | None:
        return self._connection.execute(statement, values).first()

    def _put(self, table: Table, values: Mapping[str, Any]) -> None:
        """Replace the row with this primary key, or insert it."""
        self._write(statements.replace_in(table, self._connection.dialect.name), values)
