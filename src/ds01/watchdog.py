"""systemd's watchdog: a program whose event loop stands still is ended and started again. Its log says where it stood,
because both programs have ``faulthandler`` on and systemd ends them with SIGABRT.

Whoever serves everybody from one loop must not be kept from it by anybody. What is known to take long is done
elsewhere; this is for what is not known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

SECONDS = 60
"""What the units ask for: far longer than anything is meant to hold the loop."""

_TIMES = 4
"""How often the loop is heard of in that time."""


def every(environment: Mapping[str, str], pid: int) -> float | None:
    """How often systemd is to be told, in seconds; None when it does not watch this process."""
    wanted = environment.get("WATCHDOG_USEC", "")
    if not wanted.isdecimal() or environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    return int(wanted) / 1e6 / _TIMES


async def stay_awake(seconds: float | None, tell: Callable[[str], None]) -> None:
    """Tell systemd that the loop turns, for as long as it does."""
    while seconds is not None:
        tell("WATCHDOG=1")
        await asyncio.sleep(seconds)
