"""What the limits file says about watching, once it is the admin's: ``--observe`` writes it only the first time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from ds01.install.limits import observe_until
from ds01.install.machine import Machine
from ds01.install.paths import LIMITS

MOST_DAYS = 14
"""For longer nobody needs to watch, and everybody in the group docker is root meanwhile."""
_LINE = re.compile(r"^[^#\n]*\bobserve_until\s*:\s*['\"]?([^'\"#,}\s]+)", re.MULTILINE)


def told(machine: Machine, days: int | None, limits: str) -> Iterator[str]:
    """What there is to say: until when the gateway only watches, and what to change where for ``--observe days``."""
    found = _LINE.search(limits)
    line = limits.count("\n", 0, found.start(1)) + 1 if found else 0
    until = found[1] if found and _ahead(found[1], machine.now) else ""
    mine = "" if days is None else f"{LIMITS} is yours, so --observe changes nothing there. "
    if until:
        yield f"{mine}The gateway only watches until {until}, by line {line} of {LIMITS}: {_todo(machine, days)}."
    elif days:
        where = f"in line {line}" if line else "below 'docker:'"
        yield f"{mine}DS01 is in force; to have the gateway only watch, write {where}: {_wanted(machine, days)}."


def _todo(machine: Machine, days: int | None) -> str:
    if days:
        return f"write there {_wanted(machine, days)}"
    return "read ds01 admin door report, then take that line out, and DS01 is in force"


def _wanted(machine: Machine, days: int) -> str:
    return f"observe_until: {observe_until(machine, days):%Y-%m-%dT%H:%MZ}"


def _ahead(written: str, now: datetime) -> bool:
    """Whether it is still to come. What is no time is in force nowhere, and the doctor says so."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) > now
