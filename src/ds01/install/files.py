"""Writing below ``/etc``: whole or not at all, and never through a link that somebody left there."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from pathlib import Path

from ds01.install.machine import Found

_RIGHTS = 0o755
"""What a file may have at most: it is root's, so nobody else writes to it, and it gives nobody root's rights."""


def put(path: str, wanted: Found) -> None:
    """Make it so, in one step. A folder that is there stays as it is. Raises OSError."""
    if wanted.folder:
        if not os.path.isdir(path):
            os.mkdir(path, wanted.mode)
            os.chmod(path, wanted.mode)
        return
    part = Path(path).with_name(f".{Path(path).name}.ds01-part")
    part.unlink(missing_ok=True)
    if wanted.link:
        part.symlink_to(wanted.link)
    else:
        _write(part, wanted)
    part.replace(path)
    _sync_folder(part.parent)


def take(path: str) -> None:
    """Remove a file or link, or a folder with nothing in it; one with something in it stays."""
    with suppress(FileNotFoundError):
        if os.path.isdir(path) and not os.path.islink(path):
            with suppress(OSError):
                os.rmdir(path)
        else:
            os.unlink(path)


def aside(path: str) -> str:
    """Keep what is at a path beside it; returns where. What was kept before stays, too."""
    names = (f"{path}.edited{f'-{number}' if number > 1 else ''}" for number in count(1))
    kept = next(name for name in names if not os.path.lexists(name))
    os.replace(path, kept)
    return kept


def _write(part: Path, wanted: Found) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with open(os.open(part, flags, 0o600), "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(wanted.text)
        file.flush()
        os.fchmod(file.fileno(), wanted.mode & _RIGHTS)
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
