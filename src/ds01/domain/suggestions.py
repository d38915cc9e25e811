"""The list of packages somebody added by hand, in her project's workspace: what is in it, a line each.

It is written by her own ``ds01 retire``, and by ds01d where a container goes without anybody there to ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

FILE = ".ds01/suggested-packages.txt"
"""Below the workspace."""


def line(name: str, version: str, source: str) -> str:
    """``six==1.16.0`` as pip reads it; what pip does not know says where it is from."""
    package = f"{name}=={version}" if version else name
    return package if source == "pip" else f"{package}  # {source}"


def missing(there: Sequence[str], lines: Iterable[str]) -> list[str]:
    """Those that are not there yet, each once. Names are read from a container's files: none may hold a second line."""
    return [each for each in dict.fromkeys(lines) if each.isprintable() and each not in there]
