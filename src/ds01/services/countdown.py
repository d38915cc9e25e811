"""Which reservations, holds and waits are over, by the time that passed and not by what the clock says (I5).

A lease keeps the wall-clock time of its end, which survives a restart and is what people read. While ds01d runs,
the remaining time is taken once, when the end is first seen, and counted down on the monotonic clock: a clock that
steps by an hour ends no hold early and keeps no reservation for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from ds01.domain.lease import Lease, LeaseId

Key = TypeVar("Key", bound=str)

STEP = timedelta(seconds=1)
"""Smaller differences between the two clocks are drift."""


@dataclass(frozen=True, kw_only=True)
class _End:
    """The end as the lease says it, and when that is on the monotonic clock."""

    at: datetime
    monotonic: float


class Countdown:
    """Look every few seconds."""

    def __init__(self) -> None:
        self._ends: dict[str, _End] = {}
        self._before: tuple[datetime, float] | None = None

    def over(self, leases: Iterable[Lease], now: datetime, monotonic: float) -> dict[LeaseId, datetime]:
        """The leases whose time is over, with the end they have."""
        return self.past({lease.id: lease.expires_at for lease in leases}, now, monotonic)

    def past(self, ends: Mapping[Key, datetime | None], now: datetime, monotonic: float) -> dict[Key, datetime]:
        """Of these ends, those that are over; None is no end."""
        step = self._step(now, monotonic)
        known = {key: self._end(key, at, now, monotonic, step) for key, at in ends.items() if at is not None}
        self._ends = {str(key): end for key, end in known.items()}
        return {key: end.at for key, end in known.items() if end.monotonic <= monotonic}

    def _step(self, now: datetime, monotonic: float) -> timedelta:
        """By how much the wall clock was set since the last look."""
        before, self._before = self._before, (now, monotonic)
        if before is None:
            return timedelta(0)
        step = (now - before[0]) - timedelta(seconds=monotonic - before[1])
        return step if abs(step) > STEP else timedelta(0)

    def _end(self, key: str, at: datetime, now: datetime, monotonic: float, step: timedelta) -> _End:
        known = self._ends.get(key)
        if known is not None and known.at == at:
            return known
        # Whether an end first seen after a step was set before or after it cannot be told: rather late than early.
        remaining = at - now + max(step, timedelta(0))
        return _End(at=at, monotonic=monotonic + remaining.total_seconds())
