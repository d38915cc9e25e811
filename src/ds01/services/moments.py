"""Times that people write."""

from __future__ import annotations

from datetime import UTC, datetime

from ds01.domain.errors import BAD_REQUEST, Ds01Error


def to_come(text: str, now: datetime) -> datetime:
    """A time after now, with its zone, in ISO's form; in UTC. Raises Ds01Error (``request.invalid``) for any other."""
    try:
        until = datetime.fromisoformat(text)
    except ValueError:
        until = None
    if until is None or until.tzinfo is None or until <= now:
        raise Ds01Error(
            BAD_REQUEST, f"'{text[:40]}' is no time to come.", hint="Write --until 2026-12-20T18:00 or --until 3d"
        )
    return until.astimezone(UTC)
