"""A time as the engine writes it: RFC 3339 with up to nine decimals, in whichever zone its server is."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_NEVER = "0001-01-01"


def moment(text: str) -> datetime | None:
    """The time; None for none and for the engine's zero time. Raises ValueError for what is no time."""
    if not text or text.startswith(_NEVER):
        return None
    cut = re.sub(r"(\.\d{6})\d+", r"\1", text)
    return datetime.fromisoformat(cut.replace("Z", "+00:00")).astimezone(UTC)
