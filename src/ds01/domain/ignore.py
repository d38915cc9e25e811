"""Decides what a ``.dockerignore`` leaves out, with the meaning Docker's own client gives it.

The last matching line wins; ``!`` takes back; a folder that matches takes all that is in it along. Docker looks below
an ignored folder only when a ``!`` line begins with its name, and so does this.
"""

from __future__ import annotations

import posixpath
import re

from ds01.domain.record import record


@record
class Pattern:
    """One line. ``kept`` lines begin with an exclamation mark."""

    text: str
    regex: re.Pattern[str]
    kept: bool


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
            if ignored is pattern.kept and any(pattern.regex.fullmatch(name) for name in candidates):
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
            found.append(Pattern(text=name, regex=_regex(name), kept=kept))
    return Ignore(patterns=tuple(found))


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
