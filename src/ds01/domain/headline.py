"""The one line of a notice, put into words when it is shown: its reader may come in a minute, in an hour or next week.

What is kept has ``{when}`` or ``{until}`` where the moment belongs. Whoever reads it at once (a terminal, a command) is
told how far off that is; a letter that lies until somebody opens it names the day and the hour alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

WHEN, UNTIL = "{when}", "{until}"
_HALF_A_DAY = timedelta(hours=12)


def lasting(line: str, at: datetime, zone: tzinfo) -> str:
    """``thesis stops on Mon 02 Mar at 15:30 CET, unless it is used``: as true tomorrow as it is now."""
    there = at.astimezone(zone)
    return line.replace(WHEN, f"on {day(there)} at {hour(there)}").replace(UNTIL, f"until {day(there)} {hour(there)}")


def coming(line: str, at: datetime, now: datetime, zone: tzinfo) -> str:
    """``thesis stops at 15:30 CET, in 15 minutes, unless it is used``, with the day half a day before and earlier."""
    there, left = at.astimezone(zone), at.astimezone(UTC) - now.astimezone(UTC)
    near = f"in {in_words(left)}" if left >= timedelta(seconds=1) else "any moment now"
    on = f"on {day(there)} " if left >= _HALF_A_DAY else ""
    return line.replace(WHEN, f"{on}at {hour(there)}, {near}").replace(UNTIL, f"until {moment(at, now, zone)}")


def past(line: str, at: datetime, now: datetime, zone: tzinfo) -> str:
    """``thesis was stopped at 15:30 CET: idle for 30m``, with the day when that is not today."""
    return line.replace(WHEN, f"at {hour(at.astimezone(zone))}") if today(at, now, zone) else lasting(line, at, zone)


def moment(at: datetime, now: datetime, zone: tzinfo) -> str:
    """``15:30 CET``, or ``Mon 02 Mar 15:30 CET`` where that is not today."""
    there = at.astimezone(zone)
    return hour(there) if today(at, now, zone) else f"{day(there)} {hour(there)}"


def today(at: datetime, now: datetime, zone: tzinfo) -> bool:
    """Whether the calendar on the wall shows the same day."""
    return at.astimezone(zone).date() == now.astimezone(zone).date()


def day(at: datetime) -> str:
    """``Mon 02 Mar``."""
    return f"{at:%a %d %b}"


def hour(at: datetime) -> str:
    """``15:30 CET``."""
    return f"{at:%H:%M %Z}".rstrip()


def in_words(value: timedelta) -> str:
    """A length of time: ``15 minutes``, ``2 hours``, ``3 days``, ``40 seconds``."""
    seconds = max(0, round(value.total_seconds()))
    for word, length, least in (("day", 86400, 2 * 86400), ("hour", 3600, 2 * 3600), ("minute", 60, 90)):
        if seconds >= least:
            return f"{round(seconds / length)} {word}s"
    return "1 minute" if seconds == 60 else f"{seconds} second{'' if seconds == 1 else 's'}"
