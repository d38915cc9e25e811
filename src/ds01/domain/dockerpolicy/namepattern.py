"""Name filters: patterns as the engine has them, matched in a time that grows with the name and not with its tricks.

The engine takes any expression of Go's. People write ``^/?web$``, ``web_\\d+`` or ``web|db``: letters, ``.``, sets,
``?``, ``*``, ``+``, anchors and alternatives. Python's own matcher could be kept busy for minutes by a few characters,
so what is here walks all possibilities at once, a character of the name at a time. Groups are not served.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

LENGTH = 256
_TOKEN = re.compile(
    r"(?P<set>\[\^?[A-Za-z0-9_.\\-]+\])|\\(?P<kind>[dw])|\\(?P<plain>[._/\-])|(?P<any>\.)|(?P<letter>[A-Za-z0-9_/\-])"
)
_DIGITS, _WORD = frozenset("0123456789"), frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One character that fits, how often it must be there and whether it may be there more often."""

    fits: Callable[[str], bool]
    needed: bool = True
    many: bool = False


@dataclass(frozen=True, kw_only=True)
class _Path:
    """One alternative."""

    steps: tuple[_Step, ...]
    begins: bool
    ends: bool

    def found_in(self, text: str) -> bool:
        at = self._reached(frozenset({0}))
        for character in text:
            if not self.ends and len(self.steps) in at:
                return True
            moved = {new for place in at if place < len(self.steps) for new in self._moves(place, character)}
            at = self._reached(frozenset(moved if self.begins else moved | {0}))
        return len(self.steps) in at

    def _moves(self, place: int, character: str) -> tuple[int, ...]:
        step = self.steps[place]
        if not step.fits(character):
            return ()
        return (place, place + 1) if step.many else (place + 1,)

    def _reached(self, at: frozenset[int]) -> frozenset[int]:
        """What need not be there may be left out."""
        found = set(at)
        for place, step in enumerate(self.steps):
            if place in found and not step.needed:
                found.add(place + 1)
        return frozenset(found)


class NamePattern:
    """One filter. Raises ValueError when it is none that is served."""

    def __init__(self, text: str) -> None:
        if len(text) > LENGTH:
            raise ValueError("the pattern is too long")
        self._paths: Sequence[_Path] = tuple(_path(part) for part in text.split("|"))

    def fits(self, name: str) -> bool:
        """Whether the engine would find it in the name, with or without the slash it puts in front."""
        return any(path.found_in(text) for path in self._paths for text in (name, f"/{name}"))


def _path(text: str) -> _Path:
    begins, ends = text.startswith("^"), text.endswith("$") and not text.endswith("\\$")
    inner = text[1 if begins else 0 : len(text) - 1 if ends else len(text)]
    steps, at = [], 0
    while at < len(inner):
        match = _TOKEN.match(inner, at)
        if match is None:
            raise ValueError(f"{inner[at]!r} is not served in a pattern")
        at = match.end()
        times = inner[at] if at < len(inner) and inner[at] in "?*+" else ""
        at += len(times)
        fits = _fits(match)
        if times == "+":
            steps.append(_Step(fits=fits))
        steps.append(_Step(fits=fits, needed=times == "", many=times in ("*", "+") and times != ""))
    return _Path(steps=tuple(steps), begins=begins, ends=ends)


def _fits(match: re.Match[str]) -> Callable[[str], bool]:
    if match["set"]:
        return _set(match["set"][1:-1])
    if match["kind"]:
        among = _DIGITS if match["kind"] == "d" else _WORD
        return lambda character: character in among
    if match["any"]:
        return lambda _: True
    wanted = match["plain"] or match["letter"]
    return lambda character: character == wanted


def _set(text: str) -> Callable[[str], bool]:
    no = text.startswith("^")
    inner = text.removeprefix("^").replace("\\d", "0-9").replace("\\w", "A-Za-z0-9_").replace("\\", "")
    among: set[str] = set()
    for match in re.finditer(r"(.)-(.)|(.)", inner):
        first, last = (match[1], match[2]) if match[1] else (match[3], match[3])
        among.update(chr(code) for code in range(ord(first), ord(last) + 1))
    return (lambda character: character not in among) if no else (lambda character: character in among)
