"""Records to JSON and back, without a library: the command line must start fast.

Unknown keys are ignored, so that an older client reads a newer daemon; a missing or wrong value is a ValueError.
"""

from __future__ import annotations

import types
import typing
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from ds01.domain.record import names

T = TypeVar("T")


def plain(value: object) -> Any:
    """A record (or list, dict, enum, datetime) as JSON-ready values."""
    if fields := names(type(value)):
        return {name: plain(getattr(value, name)) for name in fields}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


def parse(kind: type[T], data: Any) -> T:
    """Read JSON values into ``kind``. Raises ValueError that names the field."""
    return typing.cast(T, _read(kind, data, kind.__name__))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, data: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _read_union(kind, data, where)
    if origin in (list, tuple, frozenset):
        return _read_many(kind, origin, data, where)
    if origin is dict:
        if not isinstance(data, dict):
            raise ValueError(f"{where}: expected an object")
        value = typing.get_args(kind)[1]
        return {key: _read(value, item, f"{where}.{key}") for key, item in data.items()}
    if names(kind):
        return _read_record(kind, data, where)
    return _read_scalar(kind, data, where)


def _read_union(kind: Any, data: Any, where: str) -> Any:
    if data is None and type(None) in typing.get_args(kind):
        return None
    options = [option for option in typing.get_args(kind) if option is not type(None)]
    return _read(options[0], data, where)


def _read_many(kind: Any, origin: Any, data: Any, where: str) -> Any:
    if not isinstance(data, list):
        raise ValueError(f"{where}: expected a list")
    item = typing.get_args(kind)[0]
    return origin(_read(item, entry, f"{where}[{index}]") for index, entry in enumerate(data))


def _read_record(kind: type, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"{where}: expected an object")
    hints = _hints(kind)
    values = {name: _read(hints[name], data[name], f"{where}.{name}") for name in hints if name in data}
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from error


def _read_scalar(kind: Any, data: Any, where: str) -> Any:
    if kind is Any or kind is object:
        return data
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if kind is datetime:
        return datetime.fromisoformat(data)
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
        raise ValueError(f"{where}: expected {kind.__name__}, got {type(data).__name__}")
    return data
