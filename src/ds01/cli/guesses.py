"""What somebody meant by a word that is no command: the words of other programs, and the name of a project."""

from __future__ import annotations

import os

from ds01.domain.names import nearest

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from collections.abc import Sequence

SYNONYMS = (
    dict.fromkeys(("ls", "ps", "dir"), ("list",))
    | dict.fromkeys(("rm", "delete", "destroy"), ("retire", "delete", "remove"))
    | dict.fromkeys(("shell", "enter", "connect", "open", "login", "up"), ("launch",))
    | {"kill": ("stop",), "down": ("stop",), "build": ("image update", "update"), "quota": ("limits",)}
    | {"info": ("status", "show"), "inspect": ("status", "show"), "version": ("--version",)}
)
"""By such a word, the commands it may mean; of a noun's, the first that it has."""

LEAVING = ("exit", "quit", "logout")

_CLOSE = 0.7
"""Less alike than this is a guess at random."""


def guess(path: str, word: str, members: Sequence[str]) -> str:
    """What probably was to follow ``ds01 <path>``; ``""`` where nobody knows."""
    if not path and _is_project(word):
        return f"launch {word}"
    elsewhere = () if path else ("image update", "--version")
    for meant in SYNONYMS.get(word, ()):
        if meant in members or meant in elsewhere:
            return meant
    return nearest(word, members, cutoff=_CLOSE) or ""


def _is_project(word: str) -> bool:
    from ds01.cli.here import WORKSPACES
    from ds01.projects import file  # only a mistake asks

    home = os.path.expanduser("~")
    return word not in ("", ".", "..") and "/" not in word and file.has_file(os.path.join(home, WORKSPACES, word))
