"""``docker builder prune``: which of one's own records of BuildKit's cache are meant.

The engine is asked to prune each by its id, so whatever else it would have pruned by the same words stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ds01.domain.dockerpolicy.prune import moment_before
from ds01.domain.dockerpolicy.verdict import malformed
from ds01.domain.moment import moment


@dataclass(frozen=True, kw_only=True)
class CachePrune:
    """``keep_bytes`` of what was used last stays; ``before`` is seconds since 1970."""

    keep_bytes: int = 0
    before: float | None = None
    ids: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Whether nothing narrows what is meant."""
        return not (self.keep_bytes or self.ids or self.kinds) and self.before is None

    def takes(self, records: Iterable[Mapping[str, Any]]) -> list[str]:
        """The ids of those that are meant, the latest first: what was made of others goes before them."""
        rows, meant = sorted(records, key=_used), []
        left = sum(_size(record) for record in rows)
        for record in rows:
            if not record.get("InUse") and self._fits(record) and (not self.keep_bytes or left > self.keep_bytes):
                meant.append(record)
                left -= _size(record)
        return [str(record["ID"]) for record in sorted(meant, key=_made, reverse=True)]

    def _fits(self, record: Mapping[str, Any]) -> bool:
        old = self.before is None or _used(record) < self.before
        known = not self.ids or record["ID"] in self.ids
        return old and known and (not self.kinds or record.get("Type") in self.kinds)


def judge_cache_prune(
    keep_bytes: Sequence[str], filters: Mapping[str, Sequence[str]], now: datetime
) -> CachePrune:  # fmt: skip
    """The plan. Raises RefusedError."""
    until = [*filters.get("until", ()), *filters.get("unused-for", ())]
    if len(until) > 1:
        raise malformed("prune.until", "more than one until filter specified")
    return CachePrune(
        keep_bytes=max(map(int, keep_bytes), default=0), before=moment_before(until[0], now) if until else None,
        ids=frozenset(filters.get("id", ())), kinds=frozenset(filters.get("type", ())),
    )  # fmt: skip


def _size(record: Mapping[str, Any]) -> int:
    return int(record.get("Size") or 0)


def _used(record: Mapping[str, Any]) -> float:
    return _seconds(record, "LastUsedAt") or _made(record)


def _made(record: Mapping[str, Any]) -> float:
    return _seconds(record, "CreatedAt")


def _seconds(record: Mapping[str, Any], name: str) -> float:
    """Since 1970; a time that cannot be read is as old as any."""
    try:
        found = moment(str(record.get(name) or ""))
    except ValueError:
        return 0.0
    return found.timestamp() if found else 0.0
