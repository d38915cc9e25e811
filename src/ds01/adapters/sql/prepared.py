"""Statements that are asked all the time, compiled once.

SQLAlchemy looks a statement up in its cache each time it runs and wraps what comes back; for the small reads and writes
of a grant that took ten times as long as the database needed. Here the text and the conversion of each value are kept
instead, and the driver is asked directly. What it raises, SQLAlchemy raises: errors have one form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Delete, Dialect, Insert, Select, Update
from sqlalchemy.exc import DBAPIError

Statement = Insert | Update | Delete | Select[Any]
Convert = Callable[[Any], Any]
Found = dict[str, Any]
"""A row: its values by their names."""


@lru_cache(maxsize=256)
def prepared(statement: Statement, dialect: Dialect, names: tuple[str, ...]) -> Prepared:
    """The statement for this database and for values with these names."""
    return Prepared(statement, dialect, names)


class Prepared:
    """One statement, ready to run."""

    def __init__(self, statement: Statement, dialect: Dialect, names: Sequence[str]) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=names)
        self._dialect = dialect
        self._foreign: type[Exception] = dialect.loaded_dbapi.Error
        self._text: str = compiled.string
        self._positional: bool = compiled.positional
        binds = [(name, compiled.binds[name]) for name in (compiled.positiontup or compiled.binds)]
        self._fixed = {name: bind.value for name, bind in binds if not bind.required}
        self._binds: tuple[tuple[str, Convert | None], ...] = tuple(
            (name, bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in binds
        )
        columns = list(statement.selected_columns) if isinstance(statement, Select) else []
        self._names = tuple(str(column.name) for column in columns)
        converts = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._converts: tuple[tuple[int, Convert], ...] = tuple(
            (place, convert) for place, convert in enumerate(converts) if convert is not None
        )

    def run(self, connection: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each row, on a connection of the driver."""
        given = [self._converted(row) for row in rows]
        cursor = connection.cursor()
        try:
            if len(given) > 1:
                cursor.executemany(self._text, given)
            else:
                cursor.execute(self._text, given[0])
        except self._foreign as error:
            raise self._said(error, given) from error

    def ask(self, connection: Any, values: Mapping[str, Any]) -> list[Found]:
        """All rows that it finds."""
        given = self._converted(values)
        cursor = connection.cursor()
        try:
            cursor.execute(self._text, given)
            rows = cursor.fetchall()
        except self._foreign as error:
            raise self._said(error, given) from error
        return [self._found(row) for row in rows]

    def _converted(self, row: Mapping[str, Any]) -> tuple[Any, ...] | dict[str, Any]:
        if self._fixed:
            row = {**self._fixed, **row}
        if self._positional:
            return tuple([row[name] if convert is None else convert(row[name]) for name, convert in self._binds])
        return {name: row[name] if convert is None else convert(row[name]) for name, convert in self._binds}

    def _found(self, row: Sequence[Any]) -> Found:
        values = list(row)
        for place, convert in self._converts:
            values[place] = convert(values[place])
        return dict(zip(self._names, values, strict=True))

    def _said(self, error: Exception, given: Any) -> BaseException:
        return DBAPIError.instance(self._text, given, error, self._foreign, dialect=self._dialect)
