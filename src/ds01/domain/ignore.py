"""Decides what a ``.dockerignore`` leaves out, with the meaning Docker's own client gives it.

The last matching line wins; ``!`` takes back; a folder that matches takes all that is in it along. Docker looks below
an ignored folder only when a ``!`` line begins with its name, and so does this. Lines of few wildcards are matched by
Python's expressions, which are fast; those of many would keep them busy for hours, and are walked.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence

from ds01.domain.record import record


@record
class Pattern:
    """One line. ``kept`` lines begin with an exclamation mark."""

    text: str
    regex: re.Pattern[str] | None
    """None where there are too many wildcards for one."""
    kept: bool

    def fits(self, names: Sequence[str]) -> bool:
        """Whether it matches a path or a folder it lies in; ``names`` are all of these, the path last."""
        if self.regex is None:
            return _walked(self.text, names[-1])
        return any(self.regex.fullmatch(name) for name in names)


@record
class Ignore:
    """A whole ``.dockerignore``."""

    patterns: tuple[Pattern, ...]

    def ignores(self, path: str) -> bool:
        """Whether this path, relative to the folder and with slashes, stays out."""
        parts = path.split("/")
        candidates = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        ignored = False
        for pattern in self.patterns:
            if ignored is pattern.kept and pattern.fits(candidates):
                ignored = not pattern.kept
        return ignored

    def prunes(self, folder: str) -> bool:
        """Whether nothing below this folder can be wanted."""
        if not self.ignores(folder):
            return False
        return not any(item.kept and f"{item.text}/".startswith(f"{folder}/") for item in self.patterns)


def ignore(text: str) -> Ignore:
    """Read a ``.dockerignore``. Lines that make no sense to Docker match nothing."""
    found = []
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or line.startswith("#"):
            continue
        kept = stripped.startswith("!")
        name = posixpath.normpath(stripped.removeprefix("!").strip() or ".").lstrip("/")
        if name not in ("", "."):
            found.append(Pattern(text=name, regex=_regex(name) if name.count("*") <= _STARS else None, kept=kept))
    return Ignore(patterns=tuple(found))


_STARS = 4
"""Two wildcards like ``**``; with each more the time of an expression grows by another power."""

_TOKEN = re.compile(
    r"(?P<folders>\*\*/)|(?P<rest>\*\*$)|(?P<any>\*\*)|(?P<part>\*)|(?P<one>\?)|(?P<set>\[[^\]/]+\])|\\(?P<escaped>.)|(?P<plain>.)"
)


def _regex(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile("".join(_piece(match) for match in _TOKEN.finditer(pattern)))
    except re.error:
        return re.compile(r"(?!)")


def _piece(match: re.Match[str]) -> str:
    if match["set"]:
        return str(match["set"])
    fixed = {"folders": r"(?:.*/)?", "rest": r".*", "any": r".*", "part": r"[^/]*", "one": r"[^/]"}
    for name, regex in fixed.items():
        if match[name]:
            return regex
    return re.escape(match["escaped"] or match["plain"])


_Step = tuple[Callable[[str], object], bool, int]
"""What character fits, whether it may be there any number of times, and how many steps may be left out with it."""


def _walked(pattern: str, path: str) -> bool:
    """All possibilities at once, a character of the path at a time."""
    try:
        steps = [step for match in _TOKEN.finditer(pattern) for step in _steps(match)]
    except re.error:
        return False
    at = _reached(steps, {0})
    for character in path:
        if character == "/" and len(steps) in at:
            return True
        at = _reached(steps, {new for place in at for new in _moved(steps, place, character)})
        if not at:
            return False
    return len(steps) in at


def _moved(steps: Sequence[_Step], place: int, character: str) -> tuple[int, ...]:
    if place == len(steps) or not steps[place][0](character):
        return ()
    return (place,) if steps[place][1] else (place + 1,)


def _reached(steps: Sequence[_Step], at: set[int]) -> set[int]:
    waiting = list(at)
    while waiting:
        place = waiting.pop()
        left_out = steps[place][2] if place < len(steps) else 0
        for new in range(place + 1, place + 1 + left_out):
            if new not in at:
                at.add(new)
                waiting.append(new)
    return at


def _steps(match: re.Match[str]) -> list[_Step]:
    if match["folders"]:
        return [(lambda _: False, False, 3), (lambda _: True, True, 1), ("/".__eq__, False, 0)]
    if match["rest"] or match["any"]:
        return [(lambda _: True, True, 1)]
    if match["part"]:
        return [("/".__ne__, True, 1)]
    if match["one"]:
        return [("/".__ne__, False, 0)]
    if match["set"]:
        return [(re.compile(match["set"]).fullmatch, False, 0)]
    return [((match["escaped"] or match["plain"]).__eq__, False, 0)]
