"""``docker image prune``: which images are meant. What the engine can filter by, it does; the rest is here, with which
labels spare an image or a volume.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ds01.domain.dockerpolicy.verdict import malformed

ON, OFF = frozenset({"1", "true"}), frozenset({"0", "false"})
_GO = re.compile(r"(?:\d+(?:\.\d+)?(?:h|m|s|ms))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True, kw_only=True)
class Prune:
    """``engine`` are the filters for its list; ``before`` is seconds since 1970; ``without`` are labels to spare."""

    engine: Mapping[str, Sequence[str]] = field(default_factory=dict)
    before: float | None = None
    without: tuple[str, ...] = ()

    def takes(self, image: Mapping[str, Any]) -> bool:
        """Whether this image is meant."""
        if self.before is not None and int(image.get("Created") or 0) >= self.before:
            return False
        return not labelled(image, self.without)


def judge_prune(filters: Mapping[str, Sequence[str]], now: datetime) -> Prune:
    """The plan. Raises RefusedError."""
    dangling = [value.lower() for value in filters.get("dangling", ("true",))]
    if len(dangling) != 1 or dangling[0] not in ON | OFF:
        raise malformed("prune.dangling", f"invalid filter 'dangling={','.join(dangling)[:40]}'")
    until = filters.get("until", ())
    if len(until) > 1:
        raise malformed("prune.until", "more than one until filter specified")
    engine: dict[str, Sequence[str]] = {}
    if dangling[0] in ON:
        engine["dangling"] = ["true"]
    if filters.get("label"):
        engine["label"] = list(filters["label"])
    return Prune(
        engine=engine, before=moment_before(until[0], now) if until else None, without=tuple(filters.get("label!", ()))
    )  # fmt: skip


def labelled(found: Mapping[str, Any], wanted: Iterable[str]) -> bool:
    """Whether an image or a volume has one of these labels: with ``=``, of this value."""
    labels = found.get("Labels") or {}
    asked = (text.partition("=") for text in wanted)
    return any(key in labels and (not equals or labels[key] == value) for key, equals, value in asked)


def moment_before(text: str, now: datetime) -> float:
    """A time as the engine takes it: how long ago, seconds since 1970, or a date."""
    if _GO.fullmatch(text):
        ago = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
        return (now - timedelta(seconds=min(ago, 1e9))).timestamp()
    if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", text):
        return float(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise malformed("prune.until", f"failed to parse {text[:40]!r} as a time") from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
