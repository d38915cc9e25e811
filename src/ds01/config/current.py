"""The settings in force: the last good limits file, read again when it changes.

At the first start a broken file is refused, because there is nothing good to fall back to; later the last good
one stays in force and the problem is kept for whoever asks. A change is a new inode, time or size, so that both
editors that write in place and those that rename are seen.
"""

from __future__ import annotations

from pathlib import Path

from ds01.config.limits import load
from ds01.domain.errors import Ds01Error
from ds01.domain.settings import Settings
from ds01.ports.policy import Reload

_Stamp = tuple[int, int, int] | None


class CurrentLimits:
    """One limits file over time. Raises Ds01Error (``limits.file``) when the first reading finds a mistake."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = _stamp(path)
        self._settings = load(path)
        self._problem = ""

    @property
    def settings(self) -> Settings:
        """What is in force."""
        return self._settings

    @property
    def problem(self) -> str:
        """Why the file as it is now is not in force, ``""`` when it is."""
        return self._problem

    def reload(self) -> Reload | None:
        """Read the file again if it changed; None when it did not."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        self._problem = self._read(gone=stamp is None)
        return Reload(file=str(self._path), settings=self._settings, problem=self._problem)

    def _read(self, *, gone: bool) -> str:
        if gone:
            return f"{self._path}: the file is gone"
        try:
            self._settings = load(self._path)
        except Ds01Error as error:
            return error.problem.reason
        return ""


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
