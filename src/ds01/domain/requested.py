"""Which of the packages found in a container somebody asked for, and which came along as another's dependency.

And where those came from that no index knows. pip says both in its records. uv marks everything it installs as asked
for, and apt keeps a list of what it installed by itself; all are read here from the text of their own files, which is
a user's, so nothing in it is trusted to be well formed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ds01.domain.changes import Package, canonical

_REQUIRES = re.compile(r"^Requires-Dist:[ \t]*([A-Za-z0-9][A-Za-z0-9._-]*)([^\n]*)$", re.MULTILINE)
_PACKAGE, _BY_ITSELF = "Package: ", "Auto-Installed: 1"
_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_ADDRESS = re.compile(r"[a-z][a-z+]*://[!-~]{1,1000}")
_PART = re.compile(r"[A-Za-z0-9._/-]{1,200}")


def requires(metadata: str) -> frozenset[str]:
    """The packages that a distribution needs by itself; those of its extras are nobody's until they are asked for."""
    head = metadata.partition("\n\n")[0]
    return frozenset(canonical(match[1]) for match in _REQUIRES.finditer(head) if "extra ==" not in match[2])


def automatic(states: str) -> frozenset[str]:
    """The Debian packages that apt installed because others need them, by its ``extended_states``."""
    found = (_installed_by_itself(stanza.splitlines()) for stanza in states.split("\n\n"))
    return frozenset(name for name in found if _NAME.fullmatch(name))


def origin(direct_url: str) -> str:
    """Where a package came from, by its ``direct_url.json``, as pip takes it; ``""`` when that says nothing usable."""
    try:
        said = json.loads(direct_url)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict) or not _ADDRESS.fullmatch(address := str(said.get("url"))):
        return ""
    cloned, folder = said.get("vcs_info"), str(said.get("subdirectory") or "")
    if isinstance(cloned, dict):
        address = _cloned(address, cloned)
    return f"{address}#subdirectory={folder}" if address and _PART.fullmatch(folder) else address


def _cloned(address: str, info: Mapping[str, Any]) -> str:
    """The commit that was installed, not the branch: that moves on."""
    system, commit = str(info.get("vcs") or ""), str(info.get("commit_id") or "")
    return f"{system}+{address}@{commit}" if system.isalpha() and _PART.fullmatch(commit) else ""


def _installed_by_itself(stanza: list[str]) -> str:
    if _BY_ITSELF not in stanza:
        return ""
    return next((line.removeprefix(_PACKAGE) for line in stanza if line.startswith(_PACKAGE)), "")


def judged(
    packages: Iterable[Package], *, needs: Mapping[str, frozenset[str]], automatic: frozenset[str]
) -> tuple[Package, ...]:
    """The packages with who asked for them set right. ``needs`` are those of what uv installed, by name.

    Two that need each other were both asked for: nobody knows better.
    """
    came_along = {
        name for other, wanted in needs.items() for name in wanted if name in needs and other not in needs[name]
    }
    return tuple(
        replace(package, requested=False)
        if (package.source == "pip" and package.name in came_along)
        or (package.source == "apt" and package.name in automatic)
        else package
        for package in packages
    )
