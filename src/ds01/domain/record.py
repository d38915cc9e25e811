"""Records: frozen dataclasses that cost next to nothing to define.

``dataclasses`` writes and compiles four functions for every class, and imports Python's own parser to do it. That is
half a millisecond a class, and was half of the time of every ``ds01`` command. A record shares its functions with all
others instead. To whoever asks (``dataclasses.fields``, pydantic, FastAPI) it is a dataclass: made one at that moment.

Used for what the command line loads: the words on the wire, errors, project files, the commands themselves. Everything
else is a dataclass; type checkers see no difference.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, dataclass_transform, overload

    T = TypeVar("T")

_MISSING = object()


class _Made:
    """A default that is made anew for each record."""

    def __init__(self, *, factory: Callable[[], Any]) -> None:
        self.make = factory


class _AsDataclass:
    """``__dataclass_fields__``, found out when somebody wants to know."""

    def __get__(self, instance: object, cls: type) -> dict[str, Any]:
        import dataclasses

        for name, value in list(vars(cls).items()):
            if isinstance(value, _Made):
                setattr(cls, name, dataclasses.field(default_factory=value.make))
        dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=True)(cls)
        found: dict[str, Any] = vars(cls)["__dataclass_fields__"]
        return found


if TYPE_CHECKING:

    def made(*, factory: Callable[[], T]) -> T:
        """A field whose value is made anew for each record: ``made(factory=dict)``."""

    @overload
    def record(cls: type[T], /) -> type[T]: ...
    @overload
    def record(*, frozen: bool = ..., kw_only: bool = ...) -> Callable[[type[T]], type[T]]: ...
    @dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(made,))
    def record(cls: Any = None, /, *, frozen: bool = True, kw_only: bool = True) -> Any:
        """Make a class a record: keyword-only and frozen, unless said otherwise."""

else:
    made = _Made

    def record(cls=None, /, *, frozen=True, kw_only=True):
        if cls is None:
            return lambda cls: _record(cls, frozen, kw_only)
        return _record(cls, frozen, kw_only)


def _record(cls: Any, frozen: bool, kw_only: bool) -> Any:
    fields = dict(getattr(cls, "__record__", {}))
    order: list[str] = []
    for name, kind in _annotations(cls).items():
        if kind == "KW_ONLY":
            kw_only = True
        elif not kind.startswith("ClassVar"):
            fields[name] = cls.__dict__.get(name, _MISSING)
            if not kw_only:
                order.append(name)
    cls.__record__ = fields
    cls.__match_args__ = tuple(order)  # type: ignore[misc]
    cls.__dataclass_fields__ = _AsDataclass()
    cls.__init__, cls.__repr__, cls.__eq__ = _init, _repr, _eq
    cls.__hash__ = _hash if frozen else None
    if frozen:
        cls.__setattr__, cls.__delattr__ = _frozen, _frozen
    return cls


def _annotations(cls: Any) -> dict[str, str]:
    """Of this class alone, as they are written. ``inspect`` would do it, and takes longer than all records together."""
    found: dict[str, str] = vars(cls).get("__annotations__", {})
    return found


def _init(self: Any, /, *values: Any, **given: Any) -> None:
    cls, own = type(self), self.__dict__
    if len(values) > len(cls.__match_args__):
        raise TypeError(f"{cls.__name__} takes {len(cls.__match_args__)} values without a name, not {len(values)}")
    for name, value in zip(cls.__match_args__, values, strict=False):
        if name in given:
            raise TypeError(f"{cls.__name__} got two values for '{name}'")
        given[name] = value
    for name, default in cls.__record__.items():
        value = given.pop(name, default)
        if value is _MISSING:
            raise TypeError(f"{cls.__name__} needs '{name}'")
        own[name] = value.make() if isinstance(value, _Made) else value
    if given:
        raise TypeError(f"{cls.__name__} has no '{next(iter(given))}'")
    if hasattr(cls, "__post_init__"):
        self.__post_init__()


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in type(self).__record__)
    return f"{type(self).__qualname__}({shown})"


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(self.__dict__[name] for name in type(self).__record__)


def _eq(self: Any, other: object) -> Any:
    return _values(self) == _values(other) if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _frozen(self: Any, name: str, *_: object) -> None:
    raise AttributeError(f"{type(self).__name__} is frozen: its '{name}' cannot be changed")


def replace(instance: T, /, **changes: Any) -> T:
    """A record like this one, with other values."""
    cls = type(instance)
    values = {name: getattr(instance, name) for name in names(cls)}
    return cls(**values | changes)


def names(cls: type) -> tuple[str, ...]:
    """The names of a record's fields (or a dataclass's), in their order; none for any other class."""
    found: dict[str, Any] = getattr(cls, "__record__", None) or getattr(cls, "__dataclass_fields__", {})
    return tuple(found)
