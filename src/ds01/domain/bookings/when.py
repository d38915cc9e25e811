"""Times as people write them, on the clock on the server's wall.

``Tue 10:00`` is the next one, ``10:00`` today's or tomorrow's, ``in 2h`` counts from now; or a date and a time. A time
that does not exist (the clock jumps over it) is refused, one that comes twice is the first one.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from ds01.domain.quantity import duration

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FORMS = "Write it like 'Tue 10:00', 'tomorrow 14:00', '2026-12-01 10:00' or 'in 2h'"
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def moment(text: str, now: datetime, zone: tzinfo) -> datetime:
    """The time that is meant, in UTC. Raises ValueError with a sentence."""
    words = text.strip().lower().replace(",", " ").split()
    if words == ["now"]:
        return now
    if len(words) == 2 and words[0] == "in":
        return now + duration(words[1])
    aware = _aware(text.strip())
    if aware is not None:
        return aware.astimezone(UTC)
    if len(words) == 1 and "t" in words[0] and _DATE.match(words[0]):
        words = words[0].split("t", 1)
    here = now.astimezone(zone)
    if len(words) == 1:
        at = _at(here.date(), _clock(words[0]), zone)
        return at if at > now else _at(here.date() + timedelta(days=1), _clock(words[0]), zone)
    if len(words) != 2:
        raise ValueError(f"'{text}' is no time. {FORMS}")
    clock = _clock(words[1])
    number = _weekday(words[0])
    if number is None:
        return _at(day(words[0], now, zone), clock, zone)
    next_ = here.date() + timedelta(days=(number - here.weekday()) % 7)
    at = _at(next_, clock, zone)
    return at if at > now else _at(next_ + timedelta(days=7), clock, zone)


def day(text: str, now: datetime, zone: tzinfo) -> date:
    """The date that is meant: ``2026-12-18``, ``today``, ``tomorrow``. Raises ValueError with a sentence."""
    here, word = now.astimezone(zone).date(), text.strip().lower()
    if word in ("today", "tomorrow"):
        return here + timedelta(days=word == "tomorrow")
    found = _DATE.fullmatch(word)
    if found is None:
        raise ValueError(f"'{text}' is no date. Write it like 2026-12-18")
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise ValueError(f"There is no {text}") from None


def weeks(first: date, last: date) -> int:
    """How many whole weeks lie between two dates; none when the last is before the first."""
    return max(0, (last - first).days) // 7


def weekly(begin: datetime, last: date, zone: tzinfo) -> tuple[datetime, ...]:
    """The same time on the wall, week by week, up to a date and with it.

    Where the clock jumps over it, it is the time after the jump: 02:30 is 03:30 on that day.
    """
    first = begin.astimezone(zone)
    wall = first.time().replace(tzinfo=None)
    later = (first.date() + timedelta(weeks=week) for week in range(1, weeks(first.date(), last) + 1))
    return (begin, *(datetime.combine(one, wall, zone).astimezone(UTC) for one in later))


def _aware(text: str) -> datetime | None:
    """A full time with its zone, as programs write it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _clock(word: str) -> time | timedelta:
    found = _CLOCK.fullmatch(word)
    if found is None or (found[1] == "24" and found[2] != "00"):
        raise ValueError(f"'{word}' is no time of day. {FORMS}")
    return timedelta(days=1) if found[1] == "24" else time(int(found[1]), int(found[2]))


def _weekday(word: str) -> int | None:
    """The day of the week; at least its first three letters."""
    found = [number for number, name in enumerate(DAYS) if len(word) >= 3 and name.startswith(word)]
    return found[0] if found else None


def _at(on: date, clock: time | timedelta, zone: tzinfo) -> datetime:
    """A time on the wall, in UTC. Raises ValueError when there is none on that day."""
    if isinstance(clock, timedelta):
        on, clock = on + clock, time(0, 0)
    local = datetime.combine(on, clock, zone)
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(f"On {on} there is no {clock:%H:%M}: the clock is put forward then")
    return at
