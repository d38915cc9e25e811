"""How long the texts may become that a Dockerfile's variables make: each can hold the one before it twice.

The engine puts values in while it builds, in its own memory, and everybody's containers depend on that. So what each
instruction can become at most is added up before anything is built, from what its bases bring along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ds01.domain.dockerpolicy.dockerfile import Instruction, judged_triggers
from ds01.domain.dockerpolicy.verdict import RefusedError, malformed
from ds01.domain.dockerpolicy.weight import LABELS, size

GROWN = 1024 * 1024
"""Characters of all instructions together, with the values put in."""

UNKNOWN = 1024
"""Counted for a variable of which nobody knows here how long it is."""

CARRIED = 16 * 1024 * 1024
"""Characters of variables and labels that all steps together carry along: each has those of the steps before it."""

DONE = 10_000
"""How often instructions of ONBUILD are done, all stages together."""

_NAMED = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)?(/?)")
"""A variable, and whether parts of its value are replaced by something else. One without a plain name is unknown."""

_FOREIGN = re.compile(r"\$\{?[A-Za-z0-9_]*[^\W\d_A-Za-z]")
"""A variable with other letters in its name."""

_NAME = r"([A-Za-z_][A-Za-z0-9_.-]*)"
_WORD = re.compile(rf"""{_NAME}(?:=((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])*))?(?:\s+|\Z)""", re.DOTALL)
_PLAIN = re.compile(_NAME)
_OLD = re.compile(rf"{_NAME}\s+(.+)", re.DOTALL)
"""One variable without ``=``: what follows is its value."""

_OF_THE_SHELL = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL", "HEALTHCHECK", "ONBUILD"})
"""Where values are put in by a shell in a container, later."""


class Bases:
    """What the images of a build bring along: their variables and labels, and instructions that run in it."""

    def __init__(self, arguments: Mapping[str, str]) -> None:
        self._growing = Growing(arguments)
        self._of_images, self._of_stages = Later(self._growing), Later(self._growing)
        self.run: list[str] = []
        """ONBUILD commands of images, done before anything that a Dockerfile says."""

    def add(self, config: Mapping[str, Any]) -> None:
        """One image, by its configuration. Raises RefusedError for instructions that may not run here."""
        for line in judged_triggers(config.get("OnBuild") or ()):
            name, _, rest = line.partition(" ")
            self._of_images.keep(name, rest)
            self.run += [line] if name == "RUN" else []
        self._growing.on(config)

    def check(self, instructions: Sequence[Instruction]) -> None:
        """Raise RefusedError when the values grow too long."""
        for each in instructions:
            name, _, rest = each.text.partition(" ")
            self._growing.add(name, rest)
            if name == "ONBUILD":
                self._of_stages.keep(*rest.partition(" ")[::2])
            if name == "FROM":
                (self._of_images if each.images else self._of_stages).done()


class Growing:
    """What instructions become, one after the other. ``arguments`` are the build's."""

    def __init__(self, arguments: Mapping[str, str]) -> None:
        self._given = {name: len(value) for name, value in arguments.items()}
        self._known: dict[str, int] = {}
        self._unknown = UNKNOWN
        self._total = self._labels = self._carried = self._together = 0

    def on(self, config: Mapping[str, Any]) -> None:
        """They may stand on an image of this configuration."""
        self._labels = max(self._labels, size(config.get("Labels") or {}))
        for entry in config.get("Env") or ():
            name = entry.partition("=")[0]
            self._known[name] = max(self._known.get(name, 0), len(entry))
            self._unknown = self._unknown if _PLAIN.fullmatch(name) else max(self._unknown, len(entry))
        self._carried = self._labels + sum(self._known.values())

    def add(self, name: str, rest: str) -> None:
        """One more. Raises RefusedError."""
        rest = rest.strip()
        if name not in _OF_THE_SHELL or (name == "RUN" and rest.startswith("--")):
            self._count(name, rest)
        if name in ("ENV", "ARG"):
            self._set(name, rest)
        self._together += self._carried
        if self._labels > LABELS:
            raise _grown("the labels", LABELS)
        if self._total > GROWN:
            raise _grown(f"{f'{name} {rest}'[:60]!r} and what stands before it", GROWN)
        if self._together > CARRIED:
            raise _grown("the variables and labels that its steps carry along", CARRIED)

    def _count(self, name: str, rest: str) -> None:
        if _FOREIGN.search(rest):
            raise _unreadable(name, rest, "Name variables with the letters A to Z.")
        grown = self._bound(rest)
        self._total += grown
        if name == "LABEL":
            self._labels += grown
            self._carried += grown

    def _set(self, name: str, rest: str) -> None:
        """All values are put in before any of these variables is set."""
        for each, length in [(each, self._length(name, each, value)) for each, value in _assigned(name, rest)]:
            before = self._known.get(each, 0)
            self._known[each] = max(length, before)
            self._carried += self._known[each] - before

    def _length(self, name: str, each: str, value: str) -> int:
        """How long a variable becomes: what the build says of an argument counts, and not what is written."""
        given = self._given.get(each, 0 if value else UNKNOWN) if name == "ARG" else 0
        return max(self._bound(value), given)

    def _bound(self, text: str) -> int:
        """How long a text can become."""
        grown = len(text)
        for match in _NAMED.finditer(text):
            grown += self._known.get(match[1] or "", self._unknown) * (len(text) if match[2] else 1)
        return grown


class Later:
    """Instructions that are done in each stage that stands on what has them as ONBUILD."""

    def __init__(self, growing: Growing) -> None:
        self._growing = growing
        self._kept: list[tuple[str, str]] = []
        self._times = 0

    def keep(self, name: str, rest: str) -> None:
        """One more."""
        self._kept.append((name, rest))

    def done(self) -> None:
        """A stage begins that may stand on it. They count with the variables of now. Raises RefusedError."""
        self._times += len(self._kept)
        if self._times > DONE:
            raise malformed("build.dockerfile", f"Its stages have more than {DONE:,} instructions of ONBUILD to do",
                            "Join them with &&, or build in two parts.")  # fmt: skip
        for name, rest in self._kept:
            self._growing.add(name, rest)


def _assigned(name: str, rest: str) -> Iterator[tuple[str, str]]:
    """The variables an instruction sets, each with its value. Raises RefusedError for what has no plain name: quotes
    and variables in a name make another one of it, and nobody knows here which.
    """
    old = _OLD.fullmatch(rest) if name == "ENV" else None
    if old is not None:
        yield old[1], old[2]
        return
    at = 0
    while at < len(rest):
        word = _WORD.match(rest, at)
        if word is None or (name == "ENV" and word[2] is None):
            raise _unreadable(name, rest, "Write NAME=value.")
        yield word[1], word[2] or ""
        at = word.end()


def _grown(what: str, most: int) -> RefusedError:
    return malformed("build.grown", f"With its variables' values, {what} grow over {most} characters",
                     "Write what is long into a file, and COPY it.")  # fmt: skip


def _unreadable(name: str, rest: str, advice: str) -> RefusedError:
    return malformed("build.grown", f"{name} {rest[:60]!r} cannot be read", advice)
