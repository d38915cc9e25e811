"""dockerode, the Docker SDK for Node, at the versions in the lock file beside this, without what it builds for ssh."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from dev import npm

_LISTS = ("package.json", "package-lock.json")
available = npm.available


def modules() -> Path:
    """The folder for ``NODE_PATH``; fetched now if it never was. Raises RuntimeError when it cannot be."""
    here = Path(__file__).parent
    locked = hashlib.sha256((here / "package-lock.json").read_bytes()).hexdigest()[:12]

    def begin(folder: Path) -> None:
        for name in _LISTS:
            shutil.copy(here / name, folder)

    place = npm.kept(f"dockerode-{locked}", begin, "ci", "--ignore-scripts", "--omit=optional")
    return place / "node_modules"
