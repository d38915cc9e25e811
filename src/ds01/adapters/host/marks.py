"""A mark beside the folder of a volume: its owner's shell may have a part of it open.

It is in the engine's own folder of the volume, where nobody but root comes, and goes when the volume goes. So it says
for as long as the volume exists that it was reached, whatever else is forgotten, lost or written down late.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ds01.domain.errors import DISK_FULL, ENGINE_ERROR, Ds01Error

NAME = "ds01.reached"
FOLDER = "_data"
"""What the engine calls the part of a volume that containers see."""


def is_marked(folder: str) -> bool:
    """Whether there is a mark. Raises Ds01Error when that cannot be said."""
    try:
        os.lstat(_place(folder))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _failed(folder, error) from error
    return True


def mark(folder: str) -> None:
    """Leave one that is still there after a crash; one that is there is fine. Raises Ds01Error."""
    place = _place(folder)
    try:
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        above = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(above)
        finally:
            os.close(above)
    except OSError as error:
        raise _failed(folder, error) from error


def _place(folder: str) -> Path:
    path = Path(folder)
    if path.name != FOLDER or not path.is_absolute():
        raise Ds01Error(
            ENGINE_ERROR, f"The folder {folder} is not as Docker makes those of its volumes.",
            reason="DS01 does not know where its marks belong.",
        )  # fmt: skip
    return path.with_name(NAME)


def _failed(folder: str, error: OSError) -> Ds01Error:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return Ds01Error(
        DISK_FULL if full else ENGINE_ERROR, f"The volume in {folder} cannot be marked: {error.strerror}.",
        reason="It must be known which volumes were in containers that run as their owner.",
        hint="Tell your admin: ds01 doctor",
    )  # fmt: skip
