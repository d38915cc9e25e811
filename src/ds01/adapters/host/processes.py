"""A process held while it is looked at: its number may be another one's a moment later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(folder: Path) -> Iterator[Path | None]:
    """The same folder (``/proc/PID``) by its open file; None when it is gone. Once its process ended nothing is in it,
    whoever has the number then.
    """
    try:
        opened = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield Path(f"/proc/self/fd/{opened}")
    finally:
        os.close(opened)
