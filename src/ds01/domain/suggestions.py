"""The list of packages somebody added by hand, in her project's workspace: what is in it, a line each.

It is written by her own ``ds01 retire``, and by ds01d where a container goes without anybody there to ask. One from the
package index is its name and version. One from an address is that address: its version is no promise of what the index
has under that name, which may be somebody else's. One from a folder is noted for people only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from ds01.domain.conda import on_the_index

FILE = ".ds01/suggested-packages.txt"
"""Below the workspace."""
_REACHED = re.compile(r"(?:git\+)?https?://[!-~]+")
"""Where a package can be fetched from while an image is built."""


class Found(Protocol):
    """A package that was found in a container."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def direct(self) -> bool: ...
    @property
    def origin(self) -> str: ...


def installs(package: Found) -> str:
    """What installs it in an image, as pip or apt reads it: ``six==1.16.0``; ``""`` when nothing can."""
    if package.direct:
        return f"{package.name} @ {package.origin}" if _REACHED.fullmatch(package.origin) else ""
    name = on_the_index(package.name) if package.source == "conda" else package.name
    return f"{name}=={package.version}" if name and package.version else name


def line(package: Found) -> str:
    """Its line in the list. What pip does not know says where it is from; what cannot be installed is a comment."""
    text = installs(package)
    if text:
        return text if package.source == "pip" else f"{text}  # {package.source}"
    place = package.origin.removeprefix("file://") or "a folder or an address, not from the package index"
    why = "the base has its own" if package.source == "conda" else f"from {place}"
    return f"# {package.name} {package.version}: {why}"


def missing(there: Sequence[str], lines: Iterable[str]) -> list[str]:
    """Those that are not there yet, each once. Names are read from a container's files: none may hold a second line."""
    return [each for each in dict.fromkeys(lines) if each.isprintable() and each not in there]
