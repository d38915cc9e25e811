"""A class's roster: one person a line, as spreadsheets write it; every mistake with its line.

The first column is the login, or the one that a first line calls ``login``, ``user`` or ``username``. Other columns
are for people. Separators are commas, semicolons or tabs; lines that are empty or begin with ``#`` count for nothing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ds01.domain.errors import BAD_ROSTER, Ds01Error

HEADS = ("login", "user", "username", "account", "uid")
MOST = 1000
_LOGIN = re.compile(r"[\w.@-]+\$?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One person, and the line she is on."""

    line: int
    login: str


def read(text: str, file: str = "the roster") -> tuple[Entry, ...]:
    """Everybody on it. Raises Ds01Error (``roster.invalid``) with every mistake and its line."""
    rows = list(_rows(text))
    if not rows:
        raise refused(file, ["it has nobody in it"])
    column = _column(rows[0][1])
    entries, faults = _entries(rows[1:] if column is not None else rows, column or 0)
    if len(entries) > MOST:
        faults.append(too_many(len(entries)))
    if not entries and not faults:
        faults.append("it has nobody in it")
    if faults:
        raise refused(file, faults)
    return tuple(entries)


def too_many(people: int) -> str:
    """The mistake of a roster for more than one class."""
    return f"it has {people} people, and a class has {MOST} at most"


def unknown(file: str, entries: Iterable[Entry], meant: Mapping[str, str]) -> Ds01Error:
    """People the server does not know, each with her line and whom one may have meant."""
    return refused(
        file, [_unknown(one, meant.get(one.login, "")) for one in entries],
        hint="getent passwd LOGIN says whether the server knows somebody.",
    )  # fmt: skip


def _unknown(one: Entry, meant: str) -> str:
    return f"line {one.line}: no user '{one.login}'" + (f"; did you mean '{meant}'?" if meant else "")


HINT = "ds01 class open --info shows what a roster looks like."


def refused(file: str, faults: Sequence[str], hint: str = HINT) -> Ds01Error:
    """A roster that cannot be used, and why."""
    shown = faults[:SHOWN]
    more = f" And {len(faults) - SHOWN} more." if len(faults) > SHOWN else ""
    return Ds01Error(
        BAD_ROSTER, f"{file} cannot be used: {len(faults)} mistake{'' if len(faults) == 1 else 's'}.",
        reason=" ".join(f"{fault[0].upper()}{fault[1:]}{'' if fault.endswith('?') else '.'}" for fault in shown) + more,
        hint=hint, mistakes=str(len(faults)),
    )  # fmt: skip


SHOWN = 20
"""Mistakes that are told one by one."""


def _rows(text: str) -> Iterable[tuple[int, list[str]]]:
    lines = text.removeprefix("\ufeff").splitlines()
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    separator = next((mark for mark in (";", "\t", ",") if mark in first), ",")
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]


def _column(cells: Sequence[str]) -> int | None:
    """Which column has the logins, when this line is a heading."""
    lowered = [cell.lower() for cell in cells]
    return next((lowered.index(head) for head in HEADS if head in lowered), None)


def _entries(rows: Iterable[tuple[int, list[str]]], column: int) -> tuple[list[Entry], list[str]]:
    entries: list[Entry] = []
    faults: list[str] = []
    seen: dict[str, int] = {}
    for line, cells in rows:
        login = cells[column] if column < len(cells) else ""
        if not login:
            faults.append(f"line {line}: no login in column {column + 1}")
        elif not _LOGIN.fullmatch(login):
            faults.append(f"line {line}: '{login}' is no login")
        elif login in seen:
            faults.append(f"line {line}: '{login}' is on line {seen[login]} already")
        else:
            seen[login] = line
            entries.append(Entry(line=line, login=login))
    return entries, faults
