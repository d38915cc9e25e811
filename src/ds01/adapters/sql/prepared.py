"""Statements of every grant, compiled once.

SQLAlchemy looks a statement up in its cache each time it runs; for the five small writes of a grant and a release that
took longer than the writes. Here the text and the conversion of each value are kept instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, Update

Statement = Insert | Update | Delete


@lru_cache(maxsize=64)
def prepared(statement: Statement, dialect: Dialect, names: tuple[str, ...]) -> Prepared:
    """The statement for this database and for values with these names."""
    return Prepared(statement, dialect, names)


class Prepared:
    """One statement, ready to run."""

    def __init__(self, statement: Statement, dialect: Dialect, names: Sequence[str]) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=names)
        self._text: str = compiled.string
        self._positional: bool = compiled.positional
        self._binds: tuple[tuple[str, Callable[[Any], Any] | None], ...] = tuple(
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in (compiled.positiontup or compiled.binds)
        )

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each row."""
        given: Any = [self._converted(row) for row in rows]
        connection.exec_driver_sql(self._text, given if len(given) > 1 else given[0])

    def _converted(self, row: Mapping[str, Any]) -> tuple[Any, ...] | dict[str, Any]:
        values = [(name, row[name] if convert is None else convert(row[name])) for name, convert in self._binds]
        return tuple(value for _, value in values) if self._positional else dict(values)
