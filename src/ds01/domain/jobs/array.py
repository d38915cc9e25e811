"""``--array``: which tasks, and how many of them at once. ``0-9``, ``1,3,7``, ``0-20:5``, each perhaps with ``%2``."""

from __future__ import annotations

import re

from ds01.domain.errors import BAD_REQUEST, Ds01Error

MOST = 1000
LARGEST = 99_999
_PART = re.compile(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?")
_COUNT = re.compile(r"[0-9]{1,9}")
_TOO_MANY = f"an array has at most {MOST} tasks"
_HINT = "Write --array 0-9, --array 1,3,7 or --array 0-99%4 (four at once)"


def indexes(text: str) -> tuple[tuple[int, ...], int | None]:
    """The indexes in order, and how many at once (None: as many as there is room for). Raises Ds01Error."""
    listed, percent, most = text.partition("%")
    if percent and (not _COUNT.fullmatch(most) or int(most) < 1):
        raise _wrong(text, f"after % comes how many at once, not '{most[:80]}'")
    found: list[int] = []
    for part in listed.split(","):
        found += _part(text, part.strip())
        if len(found) > MOST:
            raise _wrong(text, _TOO_MANY)
    if len(set(found)) != len(found):
        raise _wrong(text, "an index is in it twice")
    return tuple(sorted(found)), int(most) if most else None


def shown(indexes: tuple[int, ...]) -> str:
    """``0-9``, ``1, 3, 7``: the indexes as people read them."""
    first, last = indexes[0], indexes[-1]
    if len(indexes) > 2 and indexes == tuple(range(first, last + 1)):
        return f"{first}-{last}"
    most = 8
    listed = ", ".join(str(index) for index in indexes[:most])
    return listed if len(indexes) <= most else f"{listed}, … {last}"


def _part(text: str, part: str) -> list[int]:
    match = _PART.fullmatch(part)
    if match is None:
        raise _wrong(text, f"'{part[:80]}' is no index and no range")
    first = int(match[1])
    last = int(match[2]) if match[2] else first
    step = int(match[3]) if match[3] else 1
    if last < first or not step:
        raise _wrong(text, f"'{part}' has nothing in it")
    if last > LARGEST:
        raise _wrong(text, f"indexes go up to {LARGEST}")
    if (last - first) // step >= MOST:
        raise _wrong(text, _TOO_MANY)
    return list(range(first, last + 1, step))


def _wrong(text: str, why: str) -> Ds01Error:
    return Ds01Error(BAD_REQUEST, f"--array {text[:80]} cannot be read: {why}.", hint=_HINT)
