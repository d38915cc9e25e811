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
BEGUN = "ds01d.begun"
"""There as soon as a ledger says that none was before it: of starts that failed or were killed before, none counts."""


def is_first(state: Path) -> bool:
    """Whether no ds01d ever began with this state directory."""
    return not (state / BEGUN).exists()


def begun(state: Path) -> None:
    """No later ds01d is the first one."""
    (state / BEGUN).touch(mode=0o600)


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
