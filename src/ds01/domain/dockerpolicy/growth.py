"""How long the texts may become that a Dockerfile's variables make: each can hold the one before it twice.

The engine puts values in while it builds, in its own memory, and everybody's containers depend on that. So what each
instruction can become at most is added up before anything is built, from what its bases bring along.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ds01.domain.dockerpolicy.dockerfile import Instruction, check_triggers
from ds01.domain.dockerpolicy.verdict import malformed

GROWN = 1024 * 1024
"""Characters of all instructions together, with the values put in."""

UNKNOWN = 1024
"""Counted for a variable nobody has set; the longest one of the bases where that is longer."""

_NAMED = re.compile(r"\$\{?([A-Za-z_]\w*)(/?)", re.ASCII)
"""A variable, and whether parts of its value are replaced by something else."""

_WORD = re.compile(r"""([A-Za-z_]\w*)=((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])*)""", re.ASCII)
_OF_THE_SHELL = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL", "HEALTHCHECK", "ONBUILD", "FROM"})
"""Where values are put in by a shell in a container, later, or were already."""


class Bases:
    """What the images of a build bring along: their variables, and instructions that run in it."""

    def __init__(self, arguments: Mapping[str, str]) -> None:
        self._longest = max((UNKNOWN, *map(len, arguments.values())))
        self._triggers: list[str] = []

    def add(self, config: Mapping[str, Any]) -> None:
        """One image, by its configuration. Raises RefusedError for instructions that may not run here."""
        triggers = list(config.get("OnBuild") or ())
        check_triggers(triggers)
        self._triggers += triggers
        self._longest = max((self._longest, *map(len, config.get("Env") or ())))

    def check(self, instructions: Sequence[Instruction]) -> None:
        """Raise RefusedError when the values grow too long."""
        check((*self._triggers, *(each.text for each in instructions)), self._longest)


def check(lines: Iterable[str], longest: int) -> None:
    """Raise RefusedError when these instructions, in their order, grow too long. ``longest`` counts for the unknown."""
    known: dict[str, int] = {}
    total = 0
    for line in lines:
        name, _, rest = line.partition(" ")
        if name in _OF_THE_SHELL:
            continue
        total += _bound(rest, known, longest)
        if total > GROWN:
            what = f"With its variables' values, {line[:60]!r} and what stands before it grow over {GROWN} characters"
            raise malformed("build.grown", what, "Write what is long into a file, and COPY it.")
        if name in ("ENV", "ARG"):
            given = longest if name == "ARG" else 0  # what the build says counts, and not what is written
            for each, length in _set(rest, known, longest):
                known[each] = max(length, given, known.get(each, 0))


def _bound(text: str, known: Mapping[str, int], longest: int) -> int:
    """How long a text can become."""
    grown = len(text)
    for match in _NAMED.finditer(text):
        grown += known.get(match[1], longest) * (len(text) if match[2] else 1)
    return grown


def _set(rest: str, known: Mapping[str, int], longest: int) -> list[tuple[str, int]]:
    """The variables an instruction sets, each with how long it can be: as long as all of it where that is not plain."""
    words = _WORD.findall(rest)
    if words and not _WORD.sub("", rest).strip():
        return [(name, _bound(value, known, longest)) for name, value in words]
    whole = _bound(rest, known, longest)
    first = rest.partition("=")[0].split(maxsplit=1)[:1]
    return [(name, whole) for name in (*first, *(name for name, _ in words))]
