"""Filters by the names of images: ``reference=app_*``, as the engine matches them, in a time that tricks do not grow.

``*`` is anything but ``/``, ``?`` one character but ``/``, ``[a-c]`` one of a set. A pattern is meant for the name with
or without its tag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from ds01.domain.image import repository

LENGTH = 256
_ANY = "*"
_Fits = Callable[[str], bool]


class References:
    """Patterns, any of which may find a name. All are followed at once, a bit for each place of each: with 500 names of
    her own and many patterns the gateway would be kept busy for minutes otherwise.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        """A pattern that cannot be read finds nothing."""
        self._steps: list[_Fits | None] = []
        self._begins = self._ends = self._stars = 0
        self._taken: dict[str, int] = {}
        for pattern in patterns:
            with suppress(ValueError, IndexError):
                self._add(_steps(pattern))

    def _add(self, steps: Sequence[_Fits | None]) -> None:
        self._begins |= 1 << len(self._steps)
        self._stars |= sum(1 << len(self._steps) + place for place, step in enumerate(steps) if step is None)
        self._steps += [*steps, _nothing]
        self._ends |= 1 << len(self._steps) - 1

    def find(self, ref: str) -> bool:
        """Whether the engine would find a reference by one of them."""
        return self._reach(ref) or self._reach(repository(ref))

    def _reach(self, text: str) -> bool:
        at = self._passed(self._begins)
        for character in text:
            kept = at & self._stars if character != "/" else 0
            at = self._passed(kept | (at & self._takes(character)) << 1)
        return bool(at & self._ends)

    def _passed(self, at: int) -> int:
        """What need not be there may be left out."""
        return at | (at & self._stars) << 1

    def _takes(self, character: str) -> int:
        """The places where this character is one step."""
        if character not in self._taken:
            fitting = (place for place, step in enumerate(self._steps) if step is not None and step(character))
            self._taken[character] = sum(1 << place for place in fitting)
        return self._taken[character]


def _nothing(_: str) -> bool:
    """At the end of a pattern nothing more fits."""
    return False


def _steps(pattern: str) -> list[_Fits | None]:
    if len(pattern) > LENGTH:
        raise ValueError("the pattern is too long")
    steps: list[_Fits | None] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == _ANY:
            steps += [None] if steps[-1:] != [None] else []
        elif character == "?":
            steps.append(lambda found: found != "/")
        elif character == "[":
            end = pattern.index("]", at + 1)
            steps.append(_set(pattern[at:end]))
            at = end + 1
        else:
            if character == "\\":
                character, at = pattern[at], at + 1
            steps.append(character.__eq__)
    return steps


def _set(text: str) -> _Fits:
    no = text.startswith("^")
    inner, among, at = text.removeprefix("^"), list[tuple[str, str]](), 0
    while at < len(inner):
        low = high = inner[at]
        if inner[at + 1 : at + 2] == "-":
            high, at = inner[at + 2], at + 2
        among.append((low, high))
        at += 1
    return lambda found: any(low <= found <= high for low, high in among) is not no
