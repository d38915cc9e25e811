"""What the C library does with memory that is free: it keeps some of it for what comes next, and no more.

A build's context comes in pieces of some hundred kilobytes. Left alone, the library gives each back to the kernel and
asks for the next, which the kernel then clears page by page: a quarter of all time that a large body takes here. What
is free between pieces that are not it would keep for ever, so after a burst it is told to let go.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
KEPT_BYTES, LARGE_BYTES = 16 * 1024 * 1024, 4 * 1024 * 1024
"""How much may lie idle at the end of the heap, and from which size on a piece is none of the heap."""


def keep_some() -> None:
    """For the whole process. Another C library than GNU's goes on as it likes."""
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
        library.mallopt(_MMAP_THRESHOLD, LARGE_BYTES)


GROWN_BYTES = 64 * 1024 * 1024
"""By how much the program must have grown before it is looked for what is free."""

LOOK_SECONDS = 10.0


async def give_back() -> None:
    """Let go of what a burst needed, for as long as the program runs."""
    least = _resident()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if _resident() - least > GROWN_BYTES:
            _let_go()
            least = _resident()
        least = min(least, _resident())


def _let_go() -> None:
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(KEPT_BYTES)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
