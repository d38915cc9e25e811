"""One ds01d per state directory: the ledger has a single writer.

The lock is the kernel's (``flock``): it goes with the process, however that ends, so a stale one cannot exist.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from ds01.domain.errors import DAEMON_SECOND, Ds01Error

LOCK = "ds01d.lock"


def is_first(state: Path) -> bool:
    """Whether no ds01d ever had this state directory: asked before it is locked."""
    return not (state / LOCK).exists()


def forget(state: Path) -> None:
    """Let the next ds01d be the first one. Whoever holds the lock says so, before it ends."""
    (state / LOCK).unlink()


def lock(state: Path) -> IO[str]:
    """Take the lock of this state directory; keep the file open as long as it counts."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = (state / LOCK).open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        pid = file.read().strip() or "unknown"
        file.close()
        raise Ds01Error(
            DAEMON_SECOND,
            f"A ds01d is already running with the state in {state}.",
            reason=f"Its process is {pid}.",
            hint="ds01 doctor",
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
