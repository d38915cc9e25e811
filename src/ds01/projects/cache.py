"""What was found out once and need not be again, in the user's cache: lines of text, one file for each question.

Everything in it can be lost, and a file that cannot be read or written costs a few seconds the next time.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Sequence

from ds01.domain.errors import Ds01Error
from ds01.projects import plainfile


def folder(home: str) -> str:
    """Where DS01's part of the user's cache is."""
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "ds01")


def kept(path: str, *, seconds: float | None = None) -> tuple[str, ...] | None:
    """The lines that were kept there, at most so long ago; None when there are none."""
    if not path or not os.path.lexists(path):
        return None
    with contextlib.suppress(OSError, Ds01Error, ValueError):
        if seconds is not None and not 0 <= time.time() - os.lstat(path).st_mtime <= seconds:
            return None
        lines = json.loads(plainfile.read(path))
        return tuple(map(str, lines)) if isinstance(lines, list) else None
    return None


def keep(path: str, lines: Sequence[str]) -> None:
    """Keep these lines there; ``""`` keeps nothing, and so does root in the home of somebody else."""
    if path and _own_home():
        with contextlib.suppress(OSError, Ds01Error):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            plainfile.replace(path, json.dumps(list(lines)))


def _own_home() -> bool:
    with contextlib.suppress(OSError):
        return os.stat(os.path.expanduser("~")).st_uid == os.geteuid()
    return False
