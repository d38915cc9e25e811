"""How a transaction says things in SQL: the few forms that every part of the books uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, Table

from ds01.adapters.sql import connect, statements
from ds01.adapters.sql.hot import Hot
from ds01.adapters.sql.prepared import Found, Statement, prepared

_NOTHING: Mapping[str, Any] = {}


class Said:
    """One connection, in its transaction.

    ``hot`` is what earlier transactions already read of what every grant needs; ``hot`` afterwards is for the
    next one, if this one stands. None: there is no next one, so nothing is read that is not asked for.
    """

    def __init__(self, connection: Connection, hot: Hot | None = None) -> None:
        self._connection = connection
        self._dialect = connection.dialect
        self._driver = connect.driver(connection)
        self.hot = hot or Hot()
        self._keeps = hot is not None

    def _write(self, statement: Statement, *rows: Mapping[str, Any]) -> None:
        prepared(statement, self._dialect, tuple(rows[0])).run(self._driver, rows)

    def _all(self, statement: Select[Any], values: Mapping[str, Any] = _NOTHING) -> list[Found]:
        """What one of ``statements`` finds."""
        return prepared(statement, self._dialect, tuple(values)).ask(self._driver, values)

    def _one(self, statement: Select[Any], values: Mapping[str, Any] = _NOTHING) -> Found | None:
        found = self._all(statement, values)
        return found[0] if found else None

    def _built(self, statement: Select[Any]) -> list[Found]:
        """What a statement finds that was put together for this question."""
        return [dict(row._mapping) for row in self._connection.execute(statement)]

    def _put(self, table: Table, values: Mapping[str, Any]) -> None:
        """Replace the row with this primary key, or insert it."""
        self._write(statements.replace_in(table, self._dialect.name), values)
