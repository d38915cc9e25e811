"""Loads a library without what it would load besides, where that is only there because another program needs it.

A daemon holds what it has loaded until it ends: tens of megabytes of it are others' modules.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(module: str) -> Iterator[None]:
    """As if this module were not installed, for what is imported inside; one that is loaded already stays."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]
