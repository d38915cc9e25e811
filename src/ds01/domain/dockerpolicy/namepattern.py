"""Name filters: patterns as the engine has them, matched in a time that grows with the name and not with its tricks.

The engine takes any expression of Go's. People write ``^/?web$``, ``web_\\d+`` or ``web|db``: letters, ``.``, sets,
``?``, ``*``, ``+``, anchors and alternatives. Groups are not served.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from ds01.domain.automaton import Automaton, Fits, Step, anything

LENGTH = 256
_TOKEN = re.compile(
    r"(?P<set>\[\^?[A-Za-z0-9_.\\-]+\])|\\(?P<kind>[dw])|\\(?P<plain>[._/\-])|(?P<any>\.)|(?P<letter>[A-Za-z0-9_/\-])"
)
_DIGITS = frozenset("0123456789")
_KINDS: dict[str, Callable[[str], bool]] = {
    "d": _DIGITS.__contains__,
    "w": frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_").union(_DIGITS).__contains__,
}


class NamePatterns:
    """Filters, any of which may find a name. Raises ValueError, with the first one that is not served."""

    def __init__(self, texts: Iterable[str]) -> None:
        read = [each for text in texts for each in _served(text)]
        found = [part for part, _ in read]
        self._paths = Automaton(steps for _, steps in read)
        places = list(zip(found, self._paths.begins, self._paths.ends, strict=True))
        self._begins = sum(begin for _, begin, _ in places)
        self._anywhere = sum(begin for part, begin, _ in places if not part.startswith("^"))
        self._ends = sum(end for _, _, end in places)
        self._early = sum(end for part, _, end in places if not _to_the_end(part))

    def find(self, name: str) -> bool:
        """Whether the engine would find one of them in the name, with or without the slash it puts in front."""
        return self._found_in(name) or self._found_in(f"/{name}")

    def _found_in(self, text: str) -> bool:
        reached = 0
        for reached in self._paths.read(text, self._begins, self._anywhere):
            if reached & self._early:
                return True
        return bool(reached & self._ends)


def _served(text: str) -> list[tuple[str, list[Step]]]:
    """Its alternatives, each with its steps."""
    if len(text) > LENGTH:
        raise ValueError(f"{text[:LENGTH]!r}… is too long")
    try:
        return [(part, _steps(part)) for part in text.split("|")]
    except ValueError as error:
        raise ValueError(f"{text!r} is not served: {error}") from error


def _to_the_end(part: str) -> bool:
    return part.endswith("$") and not part.endswith("\\$")


def _steps(part: str) -> list[Step]:
    return list(_read(part[part.startswith("^") : len(part) - _to_the_end(part)]))


def _read(inner: str) -> Iterator[Step]:
    at = 0
    while at < len(inner):
        match = _TOKEN.match(inner, at)
        if match is None:
            raise ValueError(f"it has {inner[at]!r}")
        at = match.end()
        times = inner[at] if at < len(inner) and inner[at] in "?*+" else ""
        at += len(times)
        fits = _fits(match)
        if times in ("", "+"):
            yield Step(fits)
        if times:
            yield Step(fits, many=times != "?", optional=True)


def _fits(match: re.Match[str]) -> Fits:
    if match["set"]:
        return _set(match["set"][1:-1])
    if match["kind"]:
        return _KINDS[match["kind"]]
    return anything if match["any"] else match["plain"] or match["letter"]


def _set(text: str) -> Callable[[str], bool]:
    no = text.startswith("^")
    inner = text.removeprefix("^").replace("\\d", "0-9").replace("\\w", "A-Za-z0-9_").replace("\\", "")
    among: set[str] = set()
    for match in re.finditer(r"(.)-(.)|(.)", inner):
        first, last = (match[1], match[2]) if match[1] else (match[3], match[3])
        among.update(chr(code) for code in range(ord(first), ord(last) + 1))
    return partial(_among, frozenset(among), no)


def _among(these: frozenset[str], no: bool, character: str) -> bool:
    return (character in these) is not no
