"""Filters by the names of images: ``reference=app_*``, as the engine matches them, in a time that tricks do not grow.

``*`` is anything but ``/``, ``?`` one character but ``/``, ``[a-c]`` one of a set. A pattern is meant for the name with
or without its tag.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ds01.domain.image import repository

LENGTH = 256
_ANY = "*"
_Fits = Callable[[str], bool]


def fits(pattern: str, ref: str) -> bool:
    """Whether the engine would find a reference by this pattern. One that cannot be read finds nothing."""
    try:
        steps = _steps(pattern)
    except (ValueError, IndexError):
        return False
    return _matches(steps, ref) or _matches(steps, repository(ref))


def _matches(steps: Sequence[_Fits | None], text: str) -> bool:
    """All possibilities at once; a step that is None stands for ``*``."""
    at = _reached(steps, {0})
    for character in text:
        at = _reached(steps, {new for place in at if place < len(steps) for new in _moved(steps, place, character)})
    return len(steps) in at


def _moved(steps: Sequence[_Fits | None], place: int, character: str) -> tuple[int, ...]:
    step = steps[place]
    if step is None:
        return () if character == "/" else (place,)
    return (place + 1,) if step(character) else ()


def _reached(steps: Sequence[_Fits | None], at: set[int]) -> set[int]:
    found = set(at)
    for place, step in enumerate(steps):
        if place in found and step is None:
            found.add(place + 1)
    return found


def _steps(pattern: str) -> list[_Fits | None]:
    if len(pattern) > LENGTH:
        raise ValueError("the pattern is too long")
    steps: list[_Fits | None] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == _ANY:
            steps.append(None)
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
