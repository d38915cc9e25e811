"""A trace: who asked for how many GPUs when, and how long it ran. Read whole, or refused with every bad line.

CSV with a heading: ``job_id,user,submit_s,duration_s,gpus`` and, if known, ``asked_s``, ``idle_s`` and ``held_s`` (what
of the duration was idle in the end, and then only kept), in any order; other columns are not looked at. ``gpus`` is a
decimal: below 1 a part of one GPU, from 1 whole GPUs. 1.5 is what no server can give, so it gets 2.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import isfinite
from pathlib import Path

from ds01.domain.errors import BAD_TRACE, Ds01Error
from ds01.domain.queue.floor import WHOLE

KNOWN = ("asked_s", "idle_s", "held_s")
NEEDED = ("job_id", "user", "submit_s", "duration_s", "gpus")
_SHOWN = 10
_LONGEST = 10 * 365 * 86400.0
_MOST_GPUS = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One line. ``slots`` GPUs with ``amount`` of each (``WHOLE`` is all of it); ``asked`` is None if unknown. Of
    ``duration`` the last ``idle`` seconds it did nothing, if it was ended for that, and then it was ``held``.
    """

    id: str
    user: str
    submit: float
    duration: float
    slots: int
    amount: int = WHOLE
    asked: float | None = None
    idle: float = 0.0
    held: float = 0.0

    @property
    def gpus(self) -> float:
        """GPU-equivalents."""
        return self.slots * self.amount / WHOLE


def load(path: Path) -> list[Job]:
    """The jobs of a file (``-``: of the standard input), in their order. Raises Ds01Error (``trace.invalid``)."""
    if str(path) == "-":
        return read(sys.stdin, "on the standard input")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return read(file, str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error.strerror).lower()
        raise Ds01Error(
            BAD_TRACE, f"The trace {path} cannot be read.", reason=reason, hint="ds01 simulate --trace FILE"
        ) from error


def read(lines: Iterable[str], name: str = "trace") -> list[Job]:
    """The jobs of these lines. Raises Ds01Error with every bad line, or the first ten of them."""
    rows = csv.reader(lines)
    try:
        heading = [column.strip() for column in next(rows, [])]
        missing = [column for column in NEEDED if column not in heading]
        if missing:
            raise _refused(name, [f"line 1: the heading has no {', '.join(missing)}"])
        jobs, faults = _jobs(rows, heading)
    except csv.Error as error:
        raise _refused(name, [f"line {rows.line_num}: {error}"]) from error
    if not jobs and not faults:
        faults = ["line 2: there are no jobs"]
    if faults:
        raise _refused(name, faults)
    return sorted(jobs, key=lambda job: job.submit)


def _jobs(rows: Iterator[list[str]], heading: list[str]) -> tuple[list[Job], list[str]]:
    jobs: list[Job] = []
    faults: list[str] = []
    seen: dict[str, int] = {}
    places = {column: heading.index(column) for column in (*NEEDED, *KNOWN) if column in heading}
    for row in rows:
        number = rows.line_num  # type: ignore[attr-defined]
        if not any(cell.strip() for cell in row):
            continue
        try:
            if len(row) != len(heading):
                raise ValueError(f"{len(row)} values, and the heading has {len(heading)}")
            job = _job({column: row[place].strip() for column, place in places.items()})
            if job.id in seen:
                raise ValueError(f"job_id {job.id} is that of line {seen[job.id]} too")
            seen[job.id] = number
            jobs.append(job)
        except ValueError as error:
            faults.append(f"line {number}: {error}")
    return jobs, faults


def _job(row: dict[str, str]) -> Job:
    for column in ("job_id", "user"):
        if not row[column]:
            raise ValueError(f"{column} is empty")
    slots, amount = _gpus(row["gpus"])
    duration = _number("duration_s", row["duration_s"])
    asked = _number("asked_s", row["asked_s"]) if row.get("asked_s") else None
    if duration == 0 or asked == 0:
        raise ValueError(f"{'duration_s' if duration == 0 else 'asked_s'} is 0; it must be more")
    idle, held = (_number(column, row.get(column) or "0") for column in ("idle_s", "held_s"))
    if idle + held > duration:
        raise ValueError("idle_s and held_s together are more than duration_s")
    return Job(
        id=row["job_id"], user=row["user"], submit=_number("submit_s", row["submit_s"]), duration=duration,
        slots=slots, amount=amount, asked=asked, idle=idle, held=held,
    )  # fmt: skip


def _number(column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{column} is {text!r}, which is no number") from None
    if not isfinite(value) or value < 0 or value > _LONGEST:
        raise ValueError(f"{column} is {text}; it must be from 0 to ten years of seconds")
    return value


def _gpus(text: str) -> tuple[int, int]:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"gpus is {text!r}, which is no number") from None
    if not value.is_finite() or not 0 < value <= _MOST_GPUS:
        raise ValueError(f"gpus is {text}; it must be more than 0 and at most {_MOST_GPUS}")
    if value >= 1:
        return int(value.to_integral_value(rounding="ROUND_CEILING")), WHOLE
    return 1, max(1, int((value * WHOLE).to_integral_value(rounding="ROUND_CEILING")))


def _refused(name: str, faults: list[str]) -> Ds01Error:
    more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
    bad = "1 line is wrong" if len(faults) == 1 else f"{len(faults)} lines are wrong"
    return Ds01Error(
        BAD_TRACE,
        f"The trace {name} cannot be simulated: {bad}.",
        reason="; ".join(faults[:_SHOWN] + more),
        hint=f"Its heading is {','.join(NEEDED)}[,asked_s][,idle_s][,held_s]",
    )
