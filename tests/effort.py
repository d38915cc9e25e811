"""How hard the tests try: all of it where a run must be complete (CI), a part of it while somebody waits.

A complete run makes its examples from the tests alone, so that what it says depends on the code and on nothing else.
New ones are looked for elsewhere: by everybody's own runs, and by ``make hunt``, which asks chance many times as often.
What it finds becomes an example with a name.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def not_for_hours() -> Iterator[None]:
    """What is done here takes a moment, or hours when tricks of a user's make the work grow: a minute ends it."""

    def over(_signal: int, _frame: object) -> None:
        raise TimeoutError("this would go on for hours")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(60)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
