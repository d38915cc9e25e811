"""How much of the disk a project's folder takes, counted as the disk does: blocks, and a file with many names once."""

from __future__ import annotations

import os
import time

_BLOCK = 512


def used(folder: str, *, until: float | None = None) -> int | None:
    """Bytes on the disk; None when it is not known by ``until`` (of ``time.monotonic``): nobody waits for a number."""
    total, seen = 0, set[tuple[int, int]]()
    waiting = [folder]
    while waiting:
        if until is not None and time.monotonic() > until:
            return None
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if (status.st_dev, status.st_ino) in seen:
                continue
            if status.st_nlink > 1:
                seen.add((status.st_dev, status.st_ino))
            total += status.st_blocks * _BLOCK
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
    return total
