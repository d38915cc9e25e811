"""``docker builder prune``: which of one's own records of BuildKit's cache are meant.

The engine is asked to prune each by its id, so whatever else it would have pruned by the same words stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ds01.domain.dockerpolicy.prune import OFF, ON, moment_before
from ds01.domain.dockerpolicy.verdict import malformed
from ds01.domain.moment import moment

_TEXTS: dict[str, Callable[[Mapping[str, Any]], Collection[str]]] = {
    "id": lambda record: (str(record["ID"]),),
    "type": lambda record: (str(record.get("Type")),),
    "description": lambda record: (str(record.get("Description")),),
    "parent": lambda record: (str(record.get("Parent")), *(record.get("Parents") or ())),
}
"""What of a record is compared with a filter's text."""

_SWITCHES: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "inuse": lambda record: bool(record.get("InUse")),
    "shared": lambda record: bool(record.get("Shared")),
    "private": lambda record: not record.get("Shared"),
}
KINDS = frozenset({*_TEXTS, *_SWITCHES})
"""The filters by what a record is."""


@dataclass(frozen=True, kw_only=True)
class CachePrune:
    """``keep_bytes`` of what was used last stays; ``before`` is seconds since 1970."""

    keep_bytes: int = 0
    before: float | None = None
    texts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    switches: Mapping[str, bool] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether nothing narrows what is meant."""
        return not (self.keep_bytes or self.texts or self.switches) and self.before is None

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
        said = all(not wanted.isdisjoint(_TEXTS[name](record)) for name, wanted in self.texts.items())
        return old and said and all(_SWITCHES[name](record) is wanted for name, wanted in self.switches.items())


def judge_cache_prune(
    keep_bytes: Sequence[str], filters: Mapping[str, Sequence[str]], now: datetime
) -> CachePrune:  # fmt: skip
    """The plan. Raises RefusedError."""
    until = [*filters.get("until", ()), *filters.get("unused-for", ())]
    if len(until) > 1:
        raise malformed("prune.until", "more than one until filter specified")
    return CachePrune(
        keep_bytes=max(map(int, keep_bytes), default=0), before=moment_before(until[0], now) if until else None,
        texts={name: frozenset(filters[name]) for name in _TEXTS if filters.get(name)},
        switches={name: _switch(name, filters[name]) for name in _SWITCHES if filters.get(name)},
    )  # fmt: skip


def _switch(name: str, values: Sequence[str]) -> bool:
    if len(values) != 1 or values[0].lower() not in ON | OFF:
        raise malformed("prune.switch", f"The filter {name} is one of true and false")
    return values[0].lower() in ON


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
