"""What BuildKit adds to ``RUN``: mounts, of which some name a stage or an image, and no network."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ds01.domain.dockerpolicy.verdict import malformed, not_allowed

FLAGS = 100
"""More than any step has."""

_PAIR = r"[a-z]+(?:=[A-Za-z0-9_./:@~${}-]*)?"
_FLAG = re.compile(rf"--(?:mount={_PAIR}(?:,{_PAIR})*|network=(?:none|default)|security=sandbox)")
_FROM = re.compile(r"(?<=[=,])from=([^,]*)")


def split(rest: str) -> tuple[list[str], str]:
    """The flags in front of the command, and the command. Spelled plainly, or refused."""
    found: list[str] = []
    while rest.startswith("--"):
        word, _, left = rest.replace("\t", " ").partition(" ")
        if not _FLAG.fullmatch(word) or len(_FROM.findall(word)) > 1:
            raise not_allowed("build.flags", f"RUN {word[:40]}", "The builder here does not have this option.")
        if len(found) == FLAGS:
            raise malformed("build.flags", f"A RUN has more than {FLAGS} options", "Split the step.")
        found.append(word)
        rest = rest[len(rest) - len(left) :].lstrip(" \t") if left else ""
    return found, rest


def sources(words: list[str]) -> Iterator[tuple[int, re.Match[str]]]:
    """The stage or image each mount is from: the number of its flag, and where the name stands in it."""
    for index, word in enumerate(words):
        match = _FROM.search(word)
        if match is not None:
            yield index, match
