"""A trace: who asked for how many GPUs when, and how long it ran. Read whole, or refused with every bad line.

CSV with a heading: ``job_id,user,submit_s,duration_s,gpus`` and, if known, ``asked_s``, ``idle_s`` and ``held_s`` (what
of the duration was idle in the end, and then only kept), in any order; other columns are not looked at. ``gpus`` is a
decimal: below 1 a part of one GPU, from 1 whole GPUs. 1.5 is what no server can give, so it gets 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ds01.domain.queue.floor import WHOLE
from ds01.simulate.rows import MOST_GPUS, Table, filled, more_than_nothing, seconds

NEEDED = ("job_id", "user", "submit_s", "duration_s", "gpus")


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
    return sorted(TABLE.load(path), key=lambda job: job.submit)


def read(lines: Iterable[str], name: str = "trace") -> list[Job]:
    """The jobs of these lines. Raises Ds01Error with every bad line, or the first ten of them."""
    return sorted(TABLE.read(lines, name), key=lambda job: job.submit)


def _job(row: Mapping[str, str]) -> Job:
    filled(row, "job_id", "user")
    slots, amount = _gpus(row["gpus"])
    duration = more_than_nothing("duration_s", row["duration_s"])
    asked = more_than_nothing("asked_s", row["asked_s"]) if row.get("asked_s") else None
    idle, held = (seconds(column, row.get(column) or "0") for column in ("idle_s", "held_s"))
    if idle + held > duration:
        raise ValueError("idle_s and held_s together are more than duration_s")
    return Job(
        id=row["job_id"], user=row["user"], submit=seconds("submit_s", row["submit_s"]), duration=duration,
        slots=slots, amount=amount, asked=asked, idle=idle, held=held,
    )  # fmt: skip


def _gpus(text: str) -> tuple[int, int]:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"gpus is {text!r}, which is no number") from None
    if not value.is_finite() or not 0 < value <= MOST_GPUS:
        raise ValueError(f"gpus is {text}; it must be more than 0 and at most {MOST_GPUS}")
    if value >= 1:
        return int(value.to_integral_value(rounding="ROUND_CEILING")), WHOLE
    return 1, max(1, int((value * WHOLE).to_integral_value(rounding="ROUND_CEILING")))


TABLE = Table(
    what="trace", one="job", option="--trace", needed=NEEDED, known=("asked_s", "idle_s", "held_s"), row=_job,
    name=lambda job: job.id,
)  # fmt: skip
