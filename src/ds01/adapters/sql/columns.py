"""How the domain's values lie in a column: readable with any SQL shell, exact, and in order when sorted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sqlalchemy import Dialect, Float, String, Text, TypeDecorator

from ds01.domain.container import Mount
from ds01.domain.events import EventType, Unknown, named

_JSON = json.JSONEncoder(sort_keys=True, ensure_ascii=False)


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC as fixed-width ISO text: sorts as it reads. A naive time is a mistake, not a guess."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be recorded: {value!r}")
        return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Span(TypeDecorator[timedelta]):
    """A length of time as seconds."""

    impl = Float()
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> float | None:
        return None if value is None else value.total_seconds()

    def process_result_value(self, value: Any, dialect: Dialect) -> timedelta | None:
        return None if value is None else timedelta(seconds=value)


class Exact(TypeDecorator[Fraction]):
    """A fraction as ``3/7``: quotas are compared with it, so nothing may be rounded."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: Fraction | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Fraction | None:
        return None if value is None else Fraction(value)


class Word(TypeDecorator[StrEnum]):
    """One word of a closed list."""

    impl = String(40)
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)


class EventWord(TypeDecorator[EventType | Unknown]):
    """The type of an event. The record outlives versions: a word that this one does not know is read too."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: EventType | Unknown | None, dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: Any, dialect: Dialect) -> EventType | Unknown | None:
        return None if value is None else named(value)


class NameSet(TypeDecorator[frozenset[str]]):
    """A set of short strings, as a sorted JSON list."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> str:
        return json.dumps(sorted(value or ()))

    def process_result_value(self, value: Any, dialect: Dialect) -> frozenset[str]:
        return frozenset(json.loads(value or "[]"))


class Words(TypeDecorator[Mapping[str, str]]):
    """A flat object of strings, as JSON with sorted keys."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, str] | None, dialect: Dialect) -> str:
        return _JSON.encode(dict(value or {}))

    def process_result_value(self, value: Any, dialect: Dialect) -> Mapping[str, str]:
        found: dict[str, str] = json.loads(value or "{}")
        return found


class Numbers(TypeDecorator[tuple[int, ...]]):
    """Whole numbers in their order, as a JSON list."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: tuple[int, ...] | None, dialect: Dialect) -> str:
        return json.dumps(list(value or ()))

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[int, ...]:
        return tuple(json.loads(value or "[]"))


class Texts(TypeDecorator[tuple[str, ...]]):
    """Short strings in their order, as a JSON list."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        return json.dumps(list(value or ()), ensure_ascii=False)

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...]:
        return tuple(json.loads(value or "[]"))


class NumberSet(TypeDecorator[frozenset[int]]):
    """A set of whole numbers, as a sorted JSON list."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: Iterable[int] | None, dialect: Dialect) -> str:
        return json.dumps(sorted(value or ()))

    def process_result_value(self, value: Any, dialect: Dialect) -> frozenset[int]:
        return frozenset(json.loads(value or "[]"))


class Mounts(TypeDecorator[tuple[Mount, ...]]):
    """Bind mounts in their order, as a JSON list of objects."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: tuple[Mount, ...] | None, dialect: Dialect) -> str:
        return json.dumps([vars(mount) for mount in value or ()], ensure_ascii=False)

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[Mount, ...]:
        return tuple(Mount(**mount) for mount in json.loads(value or "[]"))
