"""What a month's report is made of besides the account: which days it has, and how long people waited."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_EARLIEST = 2000


@dataclass(frozen=True, kw_only=True)
class Month:
    """Days in UTC, ``after`` not included."""

    first: date
    after: date

    @property
    def name(self) -> str:
        """As people write it: ``2026-11``."""
        return f"{self.first:%Y-%m}"

    @property
    def begin(self) -> datetime:
        """Its first moment."""
        return datetime(self.first.year, self.first.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime(self.after.year, self.after.month, 1, tzinfo=UTC)

    def has(self, at: datetime) -> bool:
        """Whether a moment is in it."""
        return self.begin <= at < self.end

    def passed(self, now: datetime) -> timedelta:
        """How much of it is over."""
        return max(timedelta(0), min(now, self.end) - self.begin)


def month(text: str) -> Month:
    """The month of ``2026-11``. Raises ValueError."""
    found = _MONTH.fullmatch(text)
    if found is None or int(found[1]) < _EARLIEST:
        raise ValueError(text)
    first = date(int(found[1]), int(found[2]), 1)
    return Month(first=first, after=(first + timedelta(days=31)).replace(day=1))


@dataclass(frozen=True, kw_only=True)
class Waits:
    """How often somebody waited, the usual wait, and the longest one."""

    count: int = 0
    median: timedelta = timedelta(0)
    longest: timedelta = timedelta(0)


def waits(lengths: Iterable[timedelta]) -> Waits:
    """The sum of them."""
    seconds = sorted(max(0.0, length.total_seconds()) for length in lengths)
    if not seconds:
        return Waits()
    return Waits(count=len(seconds), median=timedelta(seconds=median(seconds)), longest=timedelta(seconds=seconds[-1]))
