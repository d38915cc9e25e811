"""The settings in force: the last good limits file, read again when it changes.

At the first start a broken file is refused, because there is nothing good to fall back to; later the last good one
stays in force, over restarts too, and the problem is kept for whoever asks. A change is a new inode, time or size, so
that both editors that write in place and those that rename are seen.
"""

from __future__ import annotations

import logging
from pathlib import Path

from ds01.config.limits import load
from ds01.domain.errors import Ds01Error
from ds01.domain.settings import Settings
from ds01.ports.policy import Reload

_log = logging.getLogger(__name__)
_Stamp = tuple[int, int, int] | None


class CurrentLimits:
    """One limits file over time; ``kept`` is where the last good one is kept for the next start.

    Raises Ds01Error (``limits.file``) when the first reading finds a mistake and none was kept.
    """

    def __init__(self, path: Path, kept: Path | None = None) -> None:
        self._path = path
        self._kept = kept
        self._stamp = _stamp(path)
        self._settings, self._problem = self._first()

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

    def _first(self) -> tuple[Settings, str]:
        try:
            return self._good(), ""
        except Ds01Error as error:
            if self._kept is None or not self._kept.exists():
                raise
            return load(self._kept), error.problem.reason

    def _read(self, *, gone: bool) -> str:
        if gone:
            return f"{self._path}: the file is gone"
        try:
            self._settings = self._good()
        except Ds01Error as error:
            return error.problem.reason
        return ""

    def _good(self) -> Settings:
        """The file as it is, which is kept. Without a file the built-in values are good."""
        settings = load(self._path)
        if self._kept is not None:
            try:
                _copy(self._path, self._kept)
            except OSError as error:
                _log.warning("the last good limits file is not kept", extra={"why": str(error)})
        return settings


def _copy(path: Path, kept: Path) -> None:
    if not path.exists():
        kept.unlink(missing_ok=True)
        return
    new = kept.with_name(f".{kept.name}.new")
    new.touch(0o600)
    new.write_bytes(path.read_bytes())
    new.replace(kept)


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
