"""How hard the tests try: all of it where a run must be complete (CI), a part of it while somebody waits.

Chance finds the same mistakes in either, sooner or later; what differs is only how often it is asked.
"""

from __future__ import annotations

import os

COMPLETE = os.environ.get("DS01_TESTS_COMPLETE") == "1"
"""Nothing is left out, and nothing is cut short."""

SHARE = 5


def tries(complete: int) -> int:
    """How often to try what is tried ``complete`` times in a complete run."""
    return complete if COMPLETE else max(5, complete // SHARE)
