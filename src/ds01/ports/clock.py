"""Time, as a port: aware UTC for records, a monotonic count where a duration drives an action."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The only source of time of services and adapters."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a simulated clock returns when the test moves it far enough."""
        ...
