"""The part of the books about notices, how people want to be told, limits lifted for a while, what is announced, and
consumption.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime

from ds01.adapters.sql import statements, tables
from ds01.adapters.sql.prepared import Found
from ds01.adapters.sql.queue import QueueBooks
from ds01.domain.announcement import Announcement
from ds01.domain.consumption import Consumed, Line
from ds01.domain.exemption import ExemptionId, GrantedExemption
from ds01.domain.notice import Notice, NoticeId, Preferences
from ds01.domain.people import Uid


class NoticeBooks(QueueBooks):
    """Notices, preferences, exemptions and what is announced, within a transaction."""

    def notice(self, notice: NoticeId) -> Notice | None:
        row = self._one(statements.NOTICE, {"id": notice})
        return None if row is None else Notice(**row)

    def notices(self, uid: Uid | None = None, *, ended: bool = False, limit: int = 1000) -> tuple[Notice, ...]:
        chosen = statements.NOTICES if ended else statements.NOTICES.where(statements.STILL_TRUE)
        if uid is not None:
            chosen = chosen.where(tables.notices.c.uid == uid)
        return tuple(Notice(**row) for row in reversed(self._built(chosen.limit(limit))))

    def unread_notices(self, before: datetime, limit: int = 1000) -> tuple[Notice, ...]:
        chosen = statements.UNREAD_NOTICES.where(tables.notices.c.at < before).limit(limit)
        return tuple(Notice(**row) for row in self._built(chosen))

    def put_notice(self, notice: Notice) -> None:
        self._put(tables.notices, vars(notice))

    def drop_notices(self, before: datetime, limit: int = 1000) -> int:
        old = self._built(statements.ENDED_NOTICES.where(tables.notices.c.ended_at < before).limit(limit))
        for row in old:
            self._write(statements.remove(tables.notices), {"key_id": row["id"]})
        return len(old)

    def preferences(self, uid: Uid, epoch: int) -> Preferences | None:
        row = self._one(statements.PREFERENCES, {"uid": uid, "epoch": epoch})
        return None if row is None else Preferences(**row)

    def put_preferences(self, preferences: Preferences) -> None:
        self._put(tables.preferences, vars(preferences))

    def add_consumed(self, line: Line, consumed: Consumed) -> None:
        key = {**vars(line), "day": line.day.isoformat()}
        row = self._one(statements.CONSUMED_ONE, {f"key_{name}": value for name, value in key.items()})
        whole = consumed if row is None else Consumed(**row) + consumed
        self._put(tables.consumption, {**key, **vars(whole)})

    def consumed(self, *, uid: Uid | None = None, since: date | None = None) -> dict[Line, Consumed]:
        chosen = statements.CONSUMED
        if uid is not None:
            chosen = chosen.where(tables.consumption.c.uid == uid)
        if since is not None:
            chosen = chosen.where(tables.consumption.c.day >= since.isoformat())
        return dict(map(_consumed, self._built(chosen)))

    def announcement(self) -> Announcement | None:
        row = self._one(statements.ANNOUNCEMENT)
        return None if row is None else Announcement(**row)

    def put_announcement(self, announcement: Announcement) -> None:
        self.drop_announcement()
        self._put(tables.announcements, vars(announcement))

    def drop_announcement(self) -> None:
        if (there := self.announcement()) is not None:
            self._write(statements.remove(tables.announcements), {"key_id": there.id})

    def granted_exemptions(self) -> tuple[GrantedExemption, ...]:
        return tuple(GrantedExemption(**row) for row in self._all(statements.EXEMPTIONS))

    def put_exemption(self, exemption: GrantedExemption) -> None:
        self._put(tables.exemptions, vars(exemption))

    def drop_exemption(self, exemption: ExemptionId) -> None:
        self._write(statements.remove(tables.exemptions), {"key_id": exemption})


def _consumed(row: Found) -> tuple[Line, Consumed]:
    values = dict(row)
    amounts = {each.name: values.pop(each.name) for each in fields(Consumed)}
    return Line(**{**values, "day": date.fromisoformat(values["day"])}), Consumed(**amounts)
