"""The system's clock, and the time zone of the server."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def local_zone(localtime: Path = Path("/etc/localtime")) -> tzinfo:
    """The zone the server is in, with its changes of the clock in years to come. UTC where none is set."""
    for name in (os.environ.get("TZ", "").lstrip(":"), _linked(localtime)):
        try:
            if name:
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            continue
    try:
        with localtime.open("rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (OSError, ValueError):
        return UTC


def _linked(localtime: Path) -> str:
    """The name of the zone that ``/etc/localtime`` leads to."""
    _, found, name = str(localtime.resolve()).partition("/zoneinfo/")
    return name if found else ""
