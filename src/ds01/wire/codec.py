"""Records to JSON and back, without a library: the command line must start fast.

Unknown keys are ignored, so that an older client reads a newer daemon; a missing or wrong value is a ValueError.

What a type takes is found out once and kept as a function, its reader: a list of two hundred containers is read by the
same thirty functions. Where a wrong value stands is only worked out when there is one.
"""

from __future__ import annotations

import sys
from datetime import datetime
from enum import Enum
from functools import cache
from types import GenericAlias, NoneType, UnionType

from ds01.domain.record import names

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")

_AS_IT_IS = frozenset({str, int, float, bool, NoneType})


def plain(value: object) -> Any:
    """A record (or list, dict, enum, datetime) as JSON-ready values."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if fields := names(kind):
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
    try:
        value: T = _reader(kind)(data)  # type: ignore[arg-type]  # mypy does not see that a class is hashable
    except _WrongError as wrong:
        raise ValueError(f"{kind.__name__}{wrong.where}: {wrong.what}") from wrong
    return value


class _WrongError(ValueError):
    """A value that is missing or wrong. Where it stands is put together on the way out."""

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where

    def below(self, where: str) -> _WrongError:
        """The same, seen from one level higher."""
        return _WrongError(self.what, where + self.where)


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    if isinstance(kind, UnionType):
        return _optional(kind)
    if isinstance(kind, GenericAlias):
        return _dict(kind.__args__[1]) if kind.__origin__ is dict else _many(kind.__origin__, kind.__args__[0])
    if names(kind):
        return _record(kind)
    if issubclass(kind, Enum):
        return _made(kind)
    return _made(datetime.fromisoformat) if kind is datetime else _scalar(kind)


def _optional(kind: UnionType) -> Callable[[Any], Any]:
    """``T | None``. Of several others the first is meant: no wire type has more."""
    read = _reader(next(option for option in kind.__args__ if option is not NoneType))
    if NoneType not in kind.__args__:
        return read
    return lambda data: None if data is None else read(data)


def _many(origin: Any, item: Any) -> Callable[[Any], Any]:
    read = _reader(item)

    def read_many(data: Any) -> Any:
        if not isinstance(data, list):
            raise _WrongError("expected a list")
        found: list[Any] = []
        try:
            for entry in data:
                found.append(read(entry))  # noqa: PERF401  how far it came says which one is wrong
        except _WrongError as wrong:
            raise wrong.below(f"[{len(found)}]") from None
        return origin(found)

    return read_many


def _dict(value: Any) -> Callable[[Any], Any]:
    read = _reader(value)

    def read_dict(data: Any) -> Any:
        return _fields(_object(data), dict.fromkeys(data, read))

    return read_dict


def _record(kind: Any) -> Callable[[Any], Any]:
    readers: dict[str, Callable[[Any], Any]] = {}

    def read_record(data: Any) -> Any:
        if not readers:  # found at the first use, so that a type may hold its like
            readers.update((name, _reader(hint)) for name, hint in _hints(kind).items())
        try:
            return kind(**_fields(_object(data), readers))
        except TypeError as error:
            raise _WrongError(str(error)) from error

    return read_record


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _WrongError("expected an object")
    return data


def _fields(data: dict[str, Any], readers: dict[str, Callable[[Any], Any]]) -> dict[str, Any]:
    name = ""
    values = {}
    try:
        for name, read in readers.items():
            if name in data:
                values[name] = read(data[name])
    except _WrongError as wrong:
        raise wrong.below(f".{name}") from None
    return values


def _made(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read_made(data: Any) -> Any:
        try:
            return make(data)
        except (ValueError, TypeError) as error:
            raise _WrongError(str(error)) from error

    return read_made


def _scalar(kind: Any) -> Callable[[Any], Any]:
    if kind is object:
        return lambda data: data

    def read_scalar(data: Any) -> Any:
        if type(data) is kind:
            return data
        if kind is float and type(data) is int:
            return float(data)
        if not isinstance(data, kind) or isinstance(data, bool):
            raise _WrongError(f"expected {kind.__name__}, got {type(data).__name__}")
        return data

    return read_scalar


def _hints(kind: Any) -> dict[str, Any]:
    """The type of each field. Annotations are text, and mean what they mean in the module that has them."""
    written: dict[str, tuple[str, str]] = {}
    for cls in reversed(kind.__mro__):
        for name, hint in vars(cls).get("__annotations__", {}).items():
            written[name] = (hint, cls.__module__)
    return {name: _meant(*written[name]) for name in names(kind)}


def _meant(hint: str, module: str) -> Any:
    return eval(hint, vars(sys.modules[module]))  # noqa: S307  text of our own source
