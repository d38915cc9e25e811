"""Times and lengths of time as people and programs write them, within what a calendar can count.

A date that ends in the year 9999, or a length of a million years, is read without complaint and fails much later, where
something is added to it. So nothing from outside goes in that is more than a century off.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ds01.domain.errors import BAD_REQUEST, Ds01Error

FARTHEST = timedelta(days=36_500)
"""No time and no length of time that is asked for is farther off."""


def zoned(text: str) -> datetime | None:
    """A time with its zone in ISO's form, in UTC; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def to_come(text: str, now: datetime) -> datetime:
    """A time after now, with its zone, in ISO's form; in UTC. Raises Ds01Error (``request.invalid``) for any other."""
    until = zoned(text)
    if until is None or not now < until <= now + FARTHEST:
        raise Ds01Error(
            BAD_REQUEST, f"'{text[:40]}' is no time to come.", hint="Write --until 2026-12-20T18:00 or --until 3d"
        )
    return until


def lasting(seconds: int) -> timedelta:
    """So many seconds. Raises Ds01Error (``request.invalid``) for more than a century."""
    if abs(seconds) > FARTHEST.total_seconds():
        raise Ds01Error(
            BAD_REQUEST, "That is too long.", reason=f"{FARTHEST.days} days are the most that can be asked for.",
            hint="Write it like 30m, 2h or 7d",
        )  # fmt: skip
    return timedelta(seconds=seconds)
