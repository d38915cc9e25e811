"""How hard the tests try: all of it where a run must be complete (CI), a part of it while somebody waits.

A complete run makes its examples from the tests alone, so that what it says depends on the code and on nothing else.
New ones are looked for elsewhere: by everybody's own runs, and by ``make hunt``, which asks chance many times as often.
What it finds becomes an example with a name.
"""

from __future__ import annotations

import os

COMPLETE = os.environ.get("DS01_TESTS_COMPLETE") == "1"
"""Nothing is left out, and nothing is cut short."""

HUNT = int(os.environ.get("DS01_TESTS_HUNT", "0"))
"""How many times as often as in a complete run chance is asked, by ``make hunt``."""

BY_CHANCE = bool(HUNT) or not COMPLETE
"""Whether examples are new in every run."""

SHARE = 5


def tries(complete: int) -> int:
    """How often to try what is tried ``complete`` times in a complete run."""
    if HUNT:
        return complete * HUNT
    return complete if COMPLETE else max(5, complete // SHARE)
