"""What an admin tells everybody at once: one text that stands until a time, and then no more by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from ds01.domain.people import Uid

LONGEST_TEXT = 500
USUAL = timedelta(days=7)
"""How long one stands when nobody says until when."""
NAME = "this server"
"""What a letter about it is about."""


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """The one that stands. ``told_at`` is when it had been brought to everybody who has something here."""

    id: str
    at: datetime
    by: Uid
    text: str
    until: datetime
    told_at: datetime | None = None

    def stands(self, now: datetime) -> bool:
        """Whether its time is not over."""
        return now < self.until


def title(text: str, login: str) -> str:
    """``From anna, an admin: new driver on Friday from 18:00``."""
    return f"From {login}, an admin: {text}"


def body(announcement: Announcement, zone: tzinfo) -> str:
    """Until when it stands."""
    return f"This stands until {announcement.until.astimezone(zone):%a %d %b %H:%M %Z}."
