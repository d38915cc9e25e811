"""What the C library does with memory that is free: it keeps some of it for what comes next.

A build's context comes in pieces of some hundred kilobytes. Left alone, the library gives each back to the kernel and
asks for the next, which the kernel then clears page by page: a quarter of all time that a large body takes here.
"""

from __future__ import annotations

import contextlib
import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
KEPT_BYTES, LARGE_BYTES = 16 * 1024 * 1024, 4 * 1024 * 1024
"""How much may lie idle at the end of the heap, and from which size on a piece is none of the heap."""


def keep_some() -> None:
    """For the whole process. Another C library than GNU's goes on as it likes."""
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
        library.mallopt(_MMAP_THRESHOLD, LARGE_BYTES)
