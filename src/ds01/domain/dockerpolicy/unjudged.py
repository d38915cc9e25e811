"""A Dockerfile whose sources BuildKit judges, looked through for what grows: it passes as it is, or not at all.

It may be as new as BuildKit is, so no instruction is refused because it is not known here. Its lines are put together
as BuildKit does. Where that is a matter of quotes, every line from there on counts as if an instruction began with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ds01.domain.dockerpolicy.dockerfile import INSTRUCTIONS, LENGTH
from ds01.domain.dockerpolicy.growth import Growing, Later
from ds01.domain.dockerpolicy.verdict import malformed

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_ESCAPE = re.compile(r"^[ \t]*#[ \t]*escape[ \t]*=[ \t]*(?![ \t]|\\[ \t\r]*$)", re.IGNORECASE | re.MULTILINE)
_CONTINUED = re.compile(r"(?:^|(?<=[^\\]))\\[ \t]*$")
_BLANK = re.compile(r"\s")
_BODY = frozenset({"RUN", "COPY", "ADD"})
_FILLED = frozenset({"COPY", "ADD"})
"""Where values are put into the text that follows the instruction."""

_KNOWN = frozenset({"ENV", "ARG", "LABEL", "EXPOSE", "FROM", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}) | _BODY
READ, LINE = 4 * LENGTH, 64
"""Characters that are put together at most; a line counts as so many more."""

_PLAIN_BODY = re.compile(r"(?P<before>[\w ./:;,=>|&@+$-]*[ \t])<<(?P<tabs>-?)(?P<mark>[\"']?)(?P<end>[\w.]+)(?P=mark)"
                         r"(?:[ \t][\w ./:;,=>|&@+$-]*)?")  # fmt: skip
"""A line after which a text follows, with nothing in it that could be read in another way."""


def check(content: bytes, arguments: Mapping[str, str]) -> None:
    """Raise RefusedError when it is too long, or grows. ``arguments`` are the build's."""
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    if len(text) > LENGTH:
        raise malformed("build.dockerfile", f"The Dockerfile is longer than {LENGTH} characters", "COPY what is long.")
    look(text, Growing(arguments))


def look(text: str, growing: Growing) -> None:
    """The same for a text that goes on from others."""
    if _CONTROL.search(text) or _ESCAPE.search(text):
        raise malformed("build.dockerfile", "The Dockerfile has control characters, or another escape character",
                        "Use backslashes.")  # fmt: skip
    filled, later = False, Later(growing)
    for count, (name, rest, kept) in enumerate(_Reading(text).instructions(), 1):
        if count > INSTRUCTIONS:
            raise malformed("build.dockerfile", f"The Dockerfile has more than {INSTRUCTIONS} instructions",
                            "Join steps with &&, or build in two parts.")  # fmt: skip
        filled = filled or (name in _FILLED and "<<" in rest)
        growing.add(name, rest)
        if kept:
            later.keep(name, rest)
        if name == "FROM":
            later.done()
    if filled:
        growing.add("COPY", text)


class _Reading:
    """One Dockerfile, a line at a time."""

    def __init__(self, text: str) -> None:
        self._lines = [line.rstrip("\r") for line in text.split("\n")]
        self._read = 0

    def instructions(self) -> Iterator[tuple[str, str, bool]]:
        """Everything that may be an instruction: its name, the rest, and whether it is kept for later. Raises
        RefusedError when that is too much.
        """
        at, sure = 0, True
        while at < len(self._lines):
            line, behind = self._joined(at)
            name, rest, kept = _split(line)
            if name if sure else name in _KNOWN:
                yield name, rest, kept
            at = behind if sure else at + 1
            if sure and name in _BODY and "<<" in rest:
                at, sure = self._behind(at, rest)

    def _joined(self, at: int) -> tuple[str, int]:
        """An instruction with its continuations, and where the next begins."""
        found: list[str] = []
        while at < len(self._lines):
            line, at = self._line(at), at + 1
            if line.lstrip().startswith("#") or not line.strip():
                if found:
                    continue
                break
            found.append(_CONTINUED.sub("", line))
            if len(found[-1]) == len(line):
                break
        return "".join(found), at

    def _line(self, at: int) -> str:
        """Every look at a line counts: of texts that follow and never end, each is looked for in all that is left."""
        line = self._lines[at]
        self._read += len(line) + LINE
        if self._read > READ:
            raise malformed("build.dockerfile", "The Dockerfile cannot be read", "Write shorter instructions.")
        return line

    def _behind(self, at: int, rest: str) -> tuple[int, bool]:
        """Where it goes on after the text that follows, and whether it is plain which that is."""
        plain = _PLAIN_BODY.fullmatch(f" {rest}")
        if plain is None:
            return at, False
        for end in range(at, len(self._lines)):
            line = self._line(end)
            if (line.lstrip("\t") if plain["tabs"] else line) == plain["end"]:
                return end + 1, True
        return at, True


def _split(line: str) -> tuple[str, str, bool]:
    """The name and the rest; what is kept for later builds counts as if it were done in this one as well."""
    name, rest, times = "ONBUILD", line, 0
    while name == "ONBUILD":
        name, _, rest = _BLANK.sub(" ", rest.strip(), count=1).partition(" ")
        name, times = name.upper(), times + 1
    return name, rest.strip(), times > 1
