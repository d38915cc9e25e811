"""Decides what a ``.dockerignore`` leaves out, with the meaning Docker's own client gives it.

The last matching line wins; ``!`` takes back; a folder that matches takes all that is in it along. Docker looks below
an ignored folder only when a ``!`` line begins with its name, and so does this.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ds01.domain.automaton import Automaton, Step, anything, no_slash


class Ignore:
    """A whole ``.dockerignore``."""

    def __init__(self, patterns: Sequence[tuple[str, bool]]) -> None:
        """Patterns with whether each takes back what others leave out."""
        read = [(text, kept, steps) for text, kept in patterns if (steps := _steps(text)) is not None]
        self._lines = Automaton(steps for _, _, steps in read)
        self._begins = sum(self._lines.begins)
        self._ends = [(end, kept) for end, (_, kept, _) in zip(self._lines.ends, read, strict=True)][::-1]
        self._all = sum(self._lines.ends)
        self._taken_back = tuple(f"{text}/" for text, kept in patterns if kept)

    def ignores(self, path: str) -> bool:
        """Whether this path, relative to the folder and with slashes, stays out."""
        reached = 0
        for character, at in zip(f"{path}/", self._lines.read(path, self._begins), strict=True):
            reached |= at & self._all if character == "/" else 0
        return reached != 0 and next(not kept for end, kept in self._ends if reached & end)

    def prunes(self, folder: str) -> bool:
        """Whether nothing below this folder can be wanted."""
        return self.ignores(folder) and not any(text.startswith(f"{folder}/") for text in self._taken_back)


def ignore(text: str) -> Ignore:
    """Read a ``.dockerignore``. Lines that make no sense to Docker match nothing."""
    return Ignore(tuple(_patterns(text)))


def _patterns(text: str) -> Iterator[tuple[str, bool]]:
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or line.startswith("#"):
            continue
        name = posixpath.normpath(stripped.removeprefix("!").strip() or ".").lstrip("/")
        if name not in ("", "."):
            yield name, stripped.startswith("!")


_TOKEN = re.compile(
    r"(?P<folders>\*\*/)|(?P<rest>\*\*)|(?P<part>\*)|(?P<one>\?)|(?P<set>\[[^\]/]+\])|\\(?P<escaped>.)|(?P<plain>.)"
)
_WILDCARDS = {
    "folders": Step(folders=True),
    "rest": Step(anything, many=True, optional=True),
    "part": Step(no_slash, many=True, optional=True),
    "one": Step(no_slash),
}


def _steps(pattern: str) -> list[Step] | None:
    try:
        return [_step(match) for match in _TOKEN.finditer(pattern)]
    except re.error:
        return None


def _step(match: re.Match[str]) -> Step:
    if match.lastgroup in _WILDCARDS:
        return _WILDCARDS[match.lastgroup]
    return _set(match["set"]) if match["set"] else _letter(match["escaped"] or match["plain"])


@lru_cache(maxsize=256)
def _set(text: str) -> Step:
    return Step(re.compile(text).fullmatch)


@lru_cache(maxsize=256)
def _letter(text: str) -> Step:
    return Step(text)
