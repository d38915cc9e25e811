"""Filters by the names of images: ``reference=app_*``, as the engine matches them, in a time that tricks do not grow.

``*`` is anything but ``/``, ``?`` one character but ``/``, ``[a-c]`` one of a set. A pattern is meant for the name with
or without its tag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ds01.domain.automaton import Automaton, Step, no_slash
from ds01.domain.image import repository

LENGTH = 256
_ANY = Step(no_slash, many=True, optional=True)


class References:
    """Patterns, any of which may find a name."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """A pattern that cannot be read finds nothing."""
        self._patterns = Automaton(steps for pattern in patterns if (steps := _steps(pattern)) is not None)
        self._begins, self._ends = sum(self._patterns.begins), sum(self._patterns.ends)

    def find(self, ref: str) -> bool:
        """Whether the engine would find a reference by one of them."""
        return self._reach(ref) or self._reach(repository(ref))

    def _reach(self, text: str) -> bool:
        *_, at = self._patterns.read(text, self._begins)
        return bool(at & self._ends)


def _steps(pattern: str) -> list[Step] | None:
    """None when it cannot be read."""
    if len(pattern) > LENGTH:
        return None
    try:
        return list(_read(pattern))
    except (ValueError, IndexError):
        return None


def _read(pattern: str) -> Iterator[Step]:
    at = 0
    while at < len(pattern):
        character, at = pattern[at], at + 1
        if character == "*":
            yield _ANY
        elif character == "?":
            yield Step(no_slash)
        elif character == "[":
            end = pattern.index("]", at + 1)
            yield Step(_set(pattern[at:end]))
            at = end + 1
        else:
            if character == "\\":
                character, at = pattern[at], at + 1
            yield Step(character)


def _set(text: str) -> Callable[[str], bool]:
    no = text.startswith("^")
    inner, among, at = text.removeprefix("^"), list[tuple[str, str]](), 0
    while at < len(inner):
        low = high = inner[at]
        if inner[at + 1 : at + 2] == "-":
            high, at = inner[at + 2], at + 2
        among.append((low, high))
        at += 1
    return lambda found: any(low <= found <= high for low, high in among) is not no
