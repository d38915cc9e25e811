"""The files a simulation is given: CSV with a heading, read whole, or refused with every bad line."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Generic, TypeVar

from ds01.domain.errors import BAD_TRACE, Ds01Error

T = TypeVar("T")

MOST_GPUS = 100_000
_SHOWN = 10
_LONGEST = 10 * 365 * 86400.0


@dataclass(frozen=True, kw_only=True)
class Table(Generic[T]):
    """One kind of file: ``what`` it is, given by ``option``, with ``one`` to each line.

    The columns may come in any order; those that are neither ``needed`` nor ``known`` are not looked at. ``row`` reads
    a line and raises ValueError with what is wrong; no two lines have the same first column, which ``name`` tells.
    """

    what: str
    one: str
    option: str
    needed: tuple[str, ...]
    known: tuple[str, ...]
    row: Callable[[Mapping[str, str]], T]
    name: Callable[[T], str]

    def load(self, path: Path) -> list[T]:
        """What is in a file (``-``: on the standard input). Raises Ds01Error (``trace.invalid``)."""
        if str(path) == "-":
            return self.read(sys.stdin, "on the standard input")
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                return self.read(file, str(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error.strerror).lower()
            raise Ds01Error(
                BAD_TRACE, f"The {self.what} {path} cannot be read.", reason=reason,
                hint=f"ds01 simulate {self.option} FILE",
            ) from error  # fmt: skip

    def read(self, lines: Iterable[str], name: str) -> list[T]:
        """What is in these lines, in their order. Raises Ds01Error with every bad line, or the first ten of them."""
        rows = csv.reader(lines)
        try:
            heading = [column.strip() for column in next(rows, [])]
            missing = [column for column in self.needed if column not in heading]
            if missing:
                raise self.refused(name, [f"line 1: the heading has no {', '.join(missing)}"])
            found, faults = self._rows(rows, heading)
        except csv.Error as error:
            raise self.refused(name, [f"line {rows.line_num}: {error}"]) from error
        if not found and not faults:
            faults = [f"line 2: there are no {self.one}s"]
        if faults:
            raise self.refused(name, faults)
        return found

    def refused(self, name: str, faults: list[str]) -> Ds01Error:
        """What is said of a file with these faults."""
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        bad = "1 line is wrong" if len(faults) == 1 else f"{len(faults)} lines are wrong"
        return Ds01Error(
            BAD_TRACE,
            f"The {self.what} {name} cannot be simulated: {bad}.",
            reason="; ".join(faults[:_SHOWN] + more),
            hint=f"Its heading is {','.join(self.needed)}{''.join(f'[,{column}]' for column in self.known)}",
        )

    def _rows(self, rows: Iterator[list[str]], heading: list[str]) -> tuple[list[T], list[str]]:
        found: list[T] = []
        faults: list[str] = []
        seen: dict[str, int] = {}
        places = {column: heading.index(column) for column in (*self.needed, *self.known) if column in heading}
        for row in rows:
            number = rows.line_num  # type: ignore[attr-defined]
            if not any(cell.strip() for cell in row):
                continue
            try:
                if len(row) != len(heading):
                    raise ValueError(f"{len(row)} values, and the heading has {len(heading)}")
                one = self.row({column: row[place].strip() for column, place in places.items()})
                name = self.name(one)
                if name in seen:
                    raise ValueError(f"{self.needed[0]} {name} is that of line {seen[name]} too")
                seen[name] = number
                found.append(one)
            except ValueError as error:
                faults.append(f"line {number}: {error}")
        return found, faults


def filled(row: Mapping[str, str], *columns: str) -> None:
    """Refuse a line where one of these is empty."""
    for column in columns:
        if not row[column]:
            raise ValueError(f"{column} is empty")


def seconds(column: str, text: str) -> float:
    """A time, from 0 on."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{column} is {text!r}, which is no number") from None
    if not isfinite(value) or value < 0 or value > _LONGEST:
        raise ValueError(f"{column} is {text}; it must be from 0 to ten years of seconds")
    return value


def more_than_nothing(column: str, text: str) -> float:
    """A time above 0."""
    value = seconds(column, text)
    if value == 0:
        raise ValueError(f"{column} is 0; it must be more")
    return value
