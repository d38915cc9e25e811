"""The part of the books about notices, how people want to be told, and limits lifted for a while."""

from __future__ import annotations

from ds01.adapters.sql import statements, tables
from ds01.adapters.sql.queue import QueueBooks
from ds01.domain.exemption import ExemptionId, GrantedExemption
from ds01.domain.notice import Notice, NoticeId, Preferences
from ds01.domain.people import Uid


class NoticeBooks(QueueBooks):
    """Notices, preferences and exemptions, within a transaction."""

    def notice(self, notice: NoticeId) -> Notice | None:
        row = self._one(statements.NOTICE, {"id": notice})
        return None if row is None else Notice(**row._mapping)

    def notices(self, uid: Uid | None = None, *, ended: bool = False, limit: int = 1000) -> tuple[Notice, ...]:
        chosen = statements.NOTICES if ended else statements.NOTICES.where(statements.STILL_TRUE)
        if uid is not None:
            chosen = chosen.where(tables.notices.c.uid == uid)
        return tuple(Notice(**row._mapping) for row in reversed(self._all(chosen.limit(limit))))

    def put_notice(self, notice: Notice) -> None:
        self._put(tables.notices, vars(notice))

    def preferences(self, uid: Uid, epoch: int) -> Preferences | None:
        row = self._one(statements.PREFERENCES, {"uid": uid, "epoch": epoch})
        return None if row is None else Preferences(**row._mapping)

    def put_preferences(self, preferences: Preferences) -> None:
        self._put(tables.preferences, vars(preferences))

    def granted_exemptions(self) -> tuple[GrantedExemption, ...]:
        return tuple(GrantedExemption(**row._mapping) for row in self._all(statements.EXEMPTIONS))

    def put_exemption(self, exemption: GrantedExemption) -> None:
        self._put(tables.exemptions, vars(exemption))

    def drop_exemption(self, exemption: ExemptionId) -> None:
        self._write(statements.remove(tables.exemptions), {"key_id": exemption})
