"""How much of the GPUs everybody had: gpueq-seconds that count half after a half-life, exact and cheap to keep up.

A second used now counts 1, one used a half-life ago 1/2. The sum over a lease is an integral with a closed form, so
usage is the same whether it is brought up to date every second or once a year, and needs no history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import log
from typing import TypeVar

HALF_LIFE = timedelta(days=7)

Who = TypeVar("Who")


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Decayed gpueq-seconds of one user as of a moment."""

    seconds: float
    at: datetime

    def by(self, now: datetime, half_life: timedelta = HALF_LIFE) -> Usage:
        """The same usage seen later. A clock that was set back forgets nothing and adds nothing."""
        if now <= self.at:
            return self
        return Usage(seconds=self.seconds * decay(now - self.at, half_life), at=now)

    def plus(
        self, gpueq: Fraction | float, since: datetime, until: datetime, half_life: timedelta = HALF_LIFE
    ) -> Usage:
        """With ``gpueq`` used from one moment to the other, as seen at the later of ``until`` and ``at``."""
        seen = self.by(until, half_life)
        if until <= since:
            return seen
        used = float(gpueq) * integral(until - since, half_life) * decay(seen.at - until, half_life)
        return Usage(seconds=seen.seconds + used, at=seen.at)


def decay(age: timedelta, half_life: timedelta = HALF_LIFE) -> float:
    """What is left of a second after ``age``: 1 at 0, 1/2 after a half-life."""
    return float(0.5 ** (age / half_life))


def integral(length: timedelta, half_life: timedelta = HALF_LIFE) -> float:
    """Decayed seconds of one GPU used for ``length`` until now."""
    return half_life.total_seconds() / log(2) * (1 - decay(length, half_life))


@dataclass(frozen=True, kw_only=True)
class Share:
    """What part of the server is somebody's by right: ``of_group`` among her group, ``group_shares`` among groups."""

    group: str = "default"
    of_group: int = 1
    group_shares: int = 1


def parts(shares: Mapping[Who, Share]) -> dict[Who, float]:
    """The part of the whole (summing to 1) that each one is entitled to, of those given.

    The groups present divide the whole by ``group_shares``, members divide their group's part by ``of_group``.
    """
    inside: dict[str, int] = {}
    groups: dict[str, int] = {}
    for share in shares.values():
        inside[share.group] = inside.get(share.group, 0) + share.of_group
        groups[share.group] = share.group_shares
    whole = sum(groups.values())
    return {
        who: _ratio(groups[share.group], whole) * _ratio(share.of_group, inside[share.group])
        for who, share in shares.items()
    }


def factor(used: float, everybody: float, part: float) -> float:
    """The fair-share factor, 0 to 1: 1 for who used nothing, 1/2 for who used exactly her part, less beyond.

    Somebody without a part comes last, whatever she used.
    """
    if part <= 0:
        return 0.0
    return 1.0 if everybody <= 0 or used <= 0 else float(0.5 ** (used / everybody / part))


def total(usages: Iterable[Usage], now: datetime, half_life: timedelta = HALF_LIFE) -> float:
    """Everybody's usage at one moment."""
    return sum(usage.by(now, half_life).seconds for usage in usages)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
